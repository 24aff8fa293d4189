import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { packAll, root, run } from "./project.ts";
import { outputsOf, scriptOf, stepsOf } from "./tutorial.ts";

const PACK_MS = 240_000;

let packed = "";
let tarball = "";

beforeAll(() => {
  packed = mkdtempSync(join(tmpdir(), "latchkey-packed-"));
  tarball = packAll(packed).core.file;
}, PACK_MS);

afterAll(() => rmSync(packed, { recursive: true, force: true }));

describe("the tutorial", () => {
  const steps = stepsOf(readFileSync(join(root, "docs/tutorial.md"), "utf8"));

  test("does in an empty folder what it says, step by step", { timeout: 120_000 }, async () => {
    const port = await freePort();
    const script = [
      "set -eu",
      `PATH=${dirname(process.execPath)}:$PATH`,
      // The package that is to be published stands in for the published one.
      `npm() { command npm "\${@/#latchkey/${tarball}}" --no-audit --no-fund --loglevel=error; }`,
      "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT",
      // A reader waits for the line that says where the server is.
      scriptOf(steps).replace(
        /^node server\.ts &$/m,
        "$&\nuntil curl -so /dev/null localhost:3000; do sleep 0.05; done",
      ),
    ].join("\n");
    const folder = mkdtempSync(join(tmpdir(), "latchkey-tutorial-"));
    try {
      // Any free port: the one in the text may be taken on this machine.
      const printed = run("bash", ["-c", script.replaceAll("3000", String(port))], folder);
      const outputs = outputsOf(printed);
      let commands = 0;
      for (const { kind, line, text: expected } of steps) {
        if (kind === "output") expect(outputs.get(commands)).toBe(expected.replaceAll("3000", String(port)));
        if (kind === "commands") commands = line;
      }
      expect(outputs.get(commands)).toMatch(/pass 1\n[\s\S]*fail 0\n/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
