import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../package/project.ts";
import { appFolder, builtApp, nextEnvironment } from "./next-app-built.ts";
import type { Ran } from "./next-app-server.ts";
import { nextCases } from "./next-cases.ts";

let child: ChildProcess;

// What a first run installs and builds is kept for the next.
beforeAll(async () => {
  builtApp();
  child = fork(join(import.meta.dirname, "next-app-server.ts"), {
    execArgv: ["--conditions=latchkey-source"],
    env: nextEnvironment(),
    // Next warns of what the cases do to it on purpose.
    silent: true,
  });
  for (const output of [child.stdout, child.stderr]) output?.resume();
  await once(child, "message");
}, 300_000);

afterAll(() => void child?.disconnect());

describe("Next", () => {
  const names = nextCases(() => {
    throw new Error("cases run in the process of Next's server");
  }).map(({ name }) => name);

  it("takes the handlers, pages and actions by its own types", { timeout: 120_000 }, () => {
    const compiler = join(import.meta.dirname, "../../node_modules/typescript7/bin/tsc");
    run(process.execPath, [compiler, "--singleThreaded", "-p", appFolder], appFolder);
  });

  it.each(names.map((name, index) => [name, index] as const))("%s", async (_name, index) => {
    child.send({ index });
    const [ran] = (await once(child, "message")) as [Ran];
    expect(ran).toEqual({ index, failure: null });
  });
});
