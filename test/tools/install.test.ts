import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { transformSync } from "esbuild";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const tools = join(import.meta.dirname, "../../tools");
/** Stands where npm would: the real one would take half a minute a test. It notes what it was asked. */
const NPM = `
  import { appendFileSync, mkdirSync } from "node:fs";
  appendFileSync("npm-calls", process.argv.slice(2).join(" ") + "\\n");
  mkdirSync("node_modules/.bin", { recursive: true });
  process.exitCode = Number(process.env.NPM_EXIT_CODE ?? 0);
`;

let repository = "";

beforeEach(() => {
  repository = mkdtempSync(join(tmpdir(), "latchkey-install-"));
  cpSync(tools, join(repository, "tools"), {
    recursive: true,
    filter: (path) => !path.includes("node_modules"),
  });
  writeFileSync(join(repository, "package-lock.json"), "{}");
  writeFileSync(join(repository, "npm-cli.mjs"), NPM);
});

afterEach(() => rmSync(repository, { recursive: true, force: true }));

describe("installing before a script runs", () => {
  test("happens once, and again when the lockfile changes", async () => {
    expect((await install()).exitCode).toBe(0);
    expect((await install()).output).toBe("");
    expect(npmCalls()).toHaveLength(1);
    writeFileSync(join(repository, "package-lock.json"), `{ "changed": true }`);
    await install();
    expect(npmCalls()).toHaveLength(2);
  });

  test("happens once when several scripts start together", async () => {
    const runs = await Promise.all([install(), install(), install(), install()]);
    expect(runs.map((run) => run.exitCode)).toEqual([0, 0, 0, 0]);
    expect(npmCalls()).toHaveLength(1);
  });

  test("brings tools and optional packages whatever the environment leaves out", async () => {
    await install({ NODE_ENV: "production", npm_config_omit: "optional" });
    expect(npmCalls()[0]).toMatch(/^ci --include=dev --include=optional/);
  });

  test("is repeated after a failure, which ends the script", async () => {
    const failure = await install({ NPM_EXIT_CODE: "7" });
    expect(failure.exitCode).toBe(1);
    expect(failure.output).toContain("npm ci failed (7)");
    expect((await install()).exitCode).toBe(0);
    expect(npmCalls()).toHaveLength(2);
  });

  test("takes over the lock of a process that was killed", async () => {
    writeFileSync(join(repository, ".install-lock"), String(await pidOfTheDead()));
    expect((await install()).exitCode).toBe(0);
    expect(existsSync(join(repository, ".install-lock"))).toBe(false);
  });

  test("waits for the lock of a process that lives", async () => {
    writeFileSync(join(repository, ".install-lock"), String(process.pid));
    const waiting = install();
    await waiting.said(`waiting for process ${process.pid}`);
    expect(npmCalls()).toHaveLength(0);
    rmSync(join(repository, ".install-lock"));
    expect((await waiting).exitCode).toBe(0);
  });

  test("is refused in one line where no Node is new enough, before anything is fetched", async () => {
    const { exitCode, output } = await install({}, { platform: "darwin", version: "20.20.2" });
    expect(exitCode).toBe(1);
    expect(output.trim().split("\n")).toHaveLength(1);
    expect(output).toContain("Node 22.18 or newer is needed");
    expect(npmCalls()).toHaveLength(0);
  });

  test.each(["22.18.0", "24.0.0"])("needs no pinned Node where the host has %s", async (version) => {
    expect((await install({}, { platform: "darwin", version })).exitCode).toBe(0);
  });

  test("lets an old host fetch the pinned Node first, alone", async () => {
    const { exitCode } = await install({}, { platform: "linux", version: "18.0.0" });
    expect(npmCalls()[0]).toContain("--workspace=latchkey-tools");
    expect(npmCalls()[1]).not.toContain("--workspace");
    // This npm brought none, so there is still nothing to run on.
    expect(exitCode).toBe(1);
  });
});

test.each(["install.mjs", "lock.mjs", "count-tests.mjs"])("%s has no syntax younger than Node 18", (file) => {
  const code = readFileSync(join(tools, file), "utf8");
  const compiled = (target: string) => transformSync(code, { target, format: "esm" }).code;
  expect(compiled("node18")).toBe(compiled("esnext"));
});

interface Host {
  readonly platform: string;
  readonly version: string;
}

interface Finished {
  readonly exitCode: number | null;
  readonly output: string;
}

function install(
  extra: NodeJS.ProcessEnv = {},
  host?: Host,
): Promise<Finished> & { said: (text: string) => Promise<void> } {
  const env = { ...process.env, npm_execpath: join(repository, "npm-cli.mjs"), ...extra };
  const child = spawn(process.execPath, [...pretend(host), join(repository, "tools/install.mjs")], { env });
  let output = "";
  const finished = new Promise<Finished>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += String(data)));
    child.on("close", (exitCode) => resolve({ exitCode, output }));
  });
  const said = (text: string): Promise<void> =>
    new Promise((resolve) => child.stdout.on("data", () => output.includes(text) && resolve()));
  return Object.assign(finished, { said });
}

/** Another machine's `process`: no test can be run on one. */
function pretend(host: Host | undefined): string[] {
  if (host === undefined) return [];
  const file = join(repository, "host.cjs");
  writeFileSync(
    file,
    `Object.defineProperty(process, "platform", { value: "${host.platform}" });
     Object.defineProperty(process.versions, "node", { value: "${host.version}" });`,
  );
  return ["--require", file];
}

function npmCalls(): string[] {
  const file = join(repository, "npm-calls");
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
}

async function pidOfTheDead(): Promise<number> {
  const child = spawn(process.execPath, ["--version"]);
  await new Promise((resolve) => child.on("close", resolve));
  return child.pid ?? 0;
}
