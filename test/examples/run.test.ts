import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { runExample, startExample } from "./support/example.ts";

const folder = mkdtempSync(join(tmpdir(), "latchkey-examples-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("npm run example", () => {
  test.each([[[]], [["nothing"]], [["toString"]], [["../server"]]])(
    "%j says which examples there are, and fails",
    async (words) => {
      const { ended, stdout, stderr } = runExample(words);
      expect(await ended).toEqual({ code: 2, signal: null });
      expect(stdout()).toBe("");
      for (const name of ["api", "backends", "pages", "saas", "service"])
        expect(stderr()).toMatch(new RegExp(`^ {2}${name} `, "m"));
      const [name] = words;
      if (name !== undefined) expect(stderr()).toContain(`There is no example "${name}".`);
    },
  );

  test.each(["x", "70000", "-1", ""])("PORT=%s is refused", async (port) => {
    const { ended, stderr } = runExample(["api"], { PORT: port, DATA_FOLDER: folder });
    expect(await ended).toEqual({ code: 1, signal: null });
    expect(stderr()).toBe(`PORT: a number from 0 to 65535, not "${port}"\n`);
  });

  test("a port that is taken is said, and nothing is left running", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void other.close());
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const { ended, stderr } = runExample(["api"], { PORT: String(port), DATA_FOLDER: folder });
    expect(await ended).toEqual({ code: 1, signal: null });
    expect(stderr()).toBe(`Port ${port} is taken: choose another one with PORT.\n`);
  });

  test("a command that an example has not is refused with those that it has", async () => {
    const { ended, stderr } = runExample(["api", "constructor"], { DATA_FOLDER: folder });
    expect(await ended).toEqual({ code: 1, signal: null });
    expect(stderr()).toBe(`api has no command "constructor"; it has migrate, promote.\n`);
  });

  test.each(["SIGTERM", "SIGINT"] as const)(
    "says where it is and what to try, and ends with %s",
    async (signal) => {
      const app = await startExample("api");
      onTestFinished(() => app.remove());
      expect(app.stdout()).toMatch(/^api is at http:\/\/localhost:\d+\nTry:\n {2}curl /);
      app.child.kill(signal);
      expect(await app.ended).toEqual({ code: 0, signal: null });
      expect(app.stderr()).toBe("");
    },
  );
});
