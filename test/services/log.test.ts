import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { describe, expect, onTestFinished, test } from "vitest";
import { createAuth } from "../../src/auth.ts";
import type { Log } from "../../src/ports/services.ts";
import { stderrLog, unfailing } from "../../src/services/log.ts";
import { memory } from "../../src/stores/memory.ts";
import { faulty } from "../../src/testing/faulty.ts";
import { bareRequest } from "../support/browser.ts";
import { secret } from "../support/world.ts";

const down = new Error("the log's transport is down");
const throwing: Log = {
  error: () => {
    throw down;
  },
  warn: () => {
    throw down;
  },
};

describe("a log that fails", () => {
  test("fails for nobody else, now or later", async () => {
    const later = { error: () => Promise.reject(down), warn: () => Promise.reject(down) };
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    onTestFinished(() => void process.off("unhandledRejection", note));
    for (const log of [unfailing(throwing), unfailing(later)]) {
      expect(() => log.error("it broke")).not.toThrow();
      expect(() => log.warn("careful")).not.toThrow();
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toEqual([]);
  });

  test("is handed what there is to say", () => {
    const said: unknown[][] = [];
    const log = unfailing({
      error: (...line) => void said.push(line),
      warn: (...line) => void said.push(line),
    });
    log.error("it broke", { code: "x" }, down);
    log.warn("careful", { code: "y" });
    expect(said).toEqual([
      ["it broke", { code: "x" }, down],
      ["careful", { code: "y" }],
    ]);
  });

  test("changes no answer, and ends nothing", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    onTestFinished(() => void process.off("unhandledRejection", note));
    const auth = createAuth({
      origin: "https://app.example",
      secrets: [secret],
      stores: faulty(memory(), ({ method }) => (method === "commit" ? "refuse" : null)),
      log: throwing,
      listeners: [
        () => {
          throw new Error("now");
        },
        () => Promise.reject(new Error("later")),
      ],
      onError: () => {
        throw new Error("boom");
      },
    });
    const headers = { origin: "https://evil.example" };
    const request = bareRequest({ method: "POST", url: "/api/v1/auth/logout", headers });
    expect((await auth.handle(request, { ip: null }))?.status).toBe(403);
    await auth.close();
    expect(unhandled).toEqual([]);
  });
});

describe("standard error", () => {
  test("gets one listener, however many logs there are", () => {
    stderrLog();
    const count = process.stderr.listenerCount("error");
    for (let i = 0; i < 20; i++) stderrLog();
    expect(process.stderr.listenerCount("error")).toBe(count);
  });

  test("that nobody reads any more does not end the process", async () => {
    const program = `
      import { stderrLog } from ${JSON.stringify(new URL("../../src/services/log.ts", import.meta.url).href)};
      process.stdin.once("data", () => {
        const log = stderrLog();
        let lines = 0;
        const timer = setInterval(() => {
          log.error("it broke");
          if (++lines < 50) return;
          clearInterval(timer);
          process.stdin.destroy();
          console.log("alive");
        }, 1);
      });
      console.log("ready");`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", program]);
    let said = "";
    child.stdout.on("data", (chunk) => {
      said += chunk;
    });
    await once(child.stdout, "data");
    child.stderr.destroy();
    child.stdin.write("go\n");
    const [code] = await once(child, "close");
    expect([said, code]).toEqual(["ready\nalive\n", 0]);
  });
});

describe("the log", () => {
  test("writes JSON lines with allow-listed fields, and of a cause its name, message and place", () => {
    const program = `
      import { stderrLog } from ${JSON.stringify(new URL("../../src/services/log.ts", import.meta.url).href)};
      const log = stderrLog();
      function orders() {
        return Object.assign(new TypeError("why"), { password: "hunter2" });
      }
      log.error("it broke", { code: "x" }, orders());
      log.warn("careful");
      log.error("odd", {}, "hunter2");
      log.error("placeless", {}, Object.assign(new Error("why"), { stack: undefined }));`;
    const { stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
      encoding: "utf8",
    });
    const lines = stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { level: "error", message: "it broke", code: "x", cause: "TypeError: why" },
      { level: "warn", message: "careful" },
      { level: "error", message: "odd" },
      { level: "error", message: "placeless", cause: "Error: why", place: [] },
    ]);
    expect(lines[0].place[0]).toMatch(/^at orders \(.+:\d+:\d+\)$/);
    expect(stderr).not.toContain("hunter2");
  });
});
