import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";

const source = new URL("../../src/password/", import.meta.url);

/** Runs a program in a process of its own, so that what it loads and when it ends can be seen. */
function run(
  program: string,
  flags: readonly string[] = [],
): { status: number | null; lines: readonly string[] } {
  const args = [...flags, "--input-type=module", "--eval", program];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 15_000 });
  return { status, lines: (stdout + stderr).trim().split("\n") };
}

function fixture(name: string): string {
  return JSON.stringify(new URL(`./fixtures/${name}`, import.meta.url).href);
}

function file(name: string): string {
  return JSON.stringify(new URL(name, source).href);
}

test("importing loads no hashing library, no list, and starts no thread", () => {
  const files = readdirSync(source).map((name) => file(name));
  expect(files.length).toBeGreaterThan(5);
  const { lines } = run(`
    import { registerHooks } from "node:module";
    const loaded = [];
    registerHooks({ resolve(specifier, context, next) {
      const found = next(specifier, context);
      loaded.push(found.url);
      return found;
    } });
    for (const file of [${files.join(",")}]) await import(file);
    const active = process.getActiveResourcesInfo().filter((name) => /Message|Worker/.test(name));
    console.log(loaded.length > ${files.length}, JSON.stringify(loaded.filter((url) => url.includes("node_modules"))), active.length);
  `);
  expect(lines).toEqual(["true [] 0"]);
});

test("idle threads do not keep the process alive, busy ones do", () => {
  const { status, lines } = run(
    `
    import { passwordThreads } from ${file("threads.ts")};
    import { passwordHashing } from ${file("hashing.ts")};
    const hashing = passwordHashing({ threads: passwordThreads() });
    hashing.hash("correct horse").then(({ encoded }) => hashing.verify("correct horse", { encoded, normalization: "nfc-1" }))
      .then(({ ok }) => console.log(ok));
  `,
    ["--expose-gc"],
  );
  expect(lines).toEqual(["true"]);
  expect(status).toBe(0);
});

test("a thread that passed its time limit is gone, and closing lets the process go on to its end", () => {
  const { status, lines } = run(`
    import { passwordThreads } from ${file("threads.ts")};
    import { task } from ${fixture("tasks.ts")};
    const threads = passwordThreads({ size: 1, taskLimitSeconds: 3 });
    await threads.run(task("spin")).catch((error) => console.log(error.code));
    console.log((await threads.run(task("echo", "next"))).value);
    await threads.close();
    console.log("closed");
  `);
  expect(lines).toEqual(["overloaded", "next", "closed"]);
  expect(status).toBe(0);
});

test("where no thread may be started, tasks fail with that reason", () => {
  const { lines } = run(
    `
    import { passwordThreads } from ${file("threads.ts")};
    const threads = passwordThreads();
    for (let i = 0; i < 2; i++) {
      const task = { module: "data:,", options: null, call: "x", args: [] };
      await threads.run(task).catch((error) => console.log(error.code, error.cause.code));
    }
    await threads.close();
  `,
    ["--permission", "--allow-fs-read=*"],
  );
  expect(lines).toEqual(["internal_error ERR_ACCESS_DENIED", "internal_error ERR_ACCESS_DENIED"]);
});
