import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../servers/eventually.ts";
import { type Browser, browserOn } from "../support/browser.ts";
import { freePort } from "../support/free-port.ts";
import { blocksOf, root } from "./documents.ts";

const frameworks = ["node", "hono", "express", "fastify"] as const;
type Framework = (typeof frameworks)[number];

interface Running {
  readonly child: ChildProcess;
  readonly folder: string;
  readonly origin: string;
}

/** The program of each page, as it stands but for its port, in a folder of its own. */
const running = new Map<Framework, Running>();

beforeAll(async () => {
  for (const name of frameworks) running.set(name, await start(name));
  await Promise.all(
    [...running.values()].map(({ child, origin }) =>
      eventually(async () => {
        const { status } = await fetch(origin);
        // Whoever answers here, it is no answer of a program that has ended.
        return status > 0 && child.exitCode === null;
      }, 30_000),
    ),
  );
}, 60_000);

afterAll(async () => {
  await Promise.all([...running.values()].map(stop));
});

describe.each(frameworks)("docs/frameworks/%s.md", (name) => {
  test("who has registered is greeted by name, and nobody else comes in", async () => {
    const browser = browserAt(name);
    const place = name === "node" ? "/hello" : "/me";
    expect((await browser.get(place)).status).toBe(401);
    await browser.post("/api/v1/auth/register", {
      email: "ana@example.com",
      username: "ana",
      password: "correct horse battery staple",
    });
    expect((await browser.get(place)).text).toContain("ana");
  });

  test("who is signed in and may not is refused", async () => {
    const browser = browserAt(name);
    const bob = { email: "bob@example.com", password: "correct horse battery staple" };
    await browser.post("/api/v1/auth/register", bob);
    const refused =
      name === "node"
        ? await browser.post("/notes", {}, { csrf: false })
        : name === "hono"
          ? await browser.delete("/notes/1")
          : await browser.get("/admin/orders");
    expect([refused.status, refused.body.code]).toEqual([
      403,
      name === "node" ? "csrf_required" : "forbidden",
    ]);
  });

  test("SIGTERM is taken, and ends the program by its own hand", async () => {
    const { child } = running.get(name) as Running;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
  });
});

function browserAt(name: Framework): Browser {
  const { origin } = running.get(name) as Running;
  return browserOn(async (request) => fetch(request, { redirect: "manual" }), origin);
}

async function start(name: Framework): Promise<Running> {
  const origin = `http://localhost:${await freePort()}`;
  const [program] = blocksOf(`docs/frameworks/${name}.md`);
  // Within the package, so that its name leads to it.
  mkdirSync(join(root, ".blocks"), { recursive: true });
  const folder = mkdtempSync(join(root, ".blocks/framework-"));
  writeFileSync(join(folder, "app.ts"), (program?.text ?? "").replaceAll("3000", new URL(origin).port));
  const child = spawn(process.execPath, ["--conditions=latchkey-source", "app.ts"], {
    cwd: folder,
    stdio: "inherit",
  });
  return { child, folder, origin };
}

async function stop({ child, folder }: Running): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
}
