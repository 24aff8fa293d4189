import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type FolderCommands, folderCommands } from "./support/folder-commands.ts";

const program = fileURLToPath(new URL("../../server/cli/main.ts", import.meta.url));
const hash = "$2b$04$......................OFozeos6d2lMGDeQ3d5irLzOX9aUXQa";
const people = 5_000;

/** Runs the real program; with `killedWhen` it is killed the hard way as soon as that holds. Answers whether it came to its end. */
async function runImport(
  { terminal, folder }: FolderCommands,
  killedWhen: (() => boolean) | null,
): Promise<boolean> {
  const args = [
    "--conditions=latchkey-source",
    program,
    "import",
    "--from",
    "generic",
    `${folder}/users.csv`,
  ];
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, ...terminal.environment },
    stdio: "ignore",
  });
  const ended = new Promise<number | null>((resolve) => child.on("exit", (code) => resolve(code)));
  if (killedWhen !== null) {
    while (child.exitCode === null && !killedWhen()) await pause(2);
    child.kill("SIGKILL");
  }
  return (await ended) === 0;
}

test("an import that is killed the hard way, however often, brings everybody once when it is run again", {
  timeout: 120_000,
}, async () => {
  const here = await folderCommands();
  const rows = [...Array(people).keys()].map((n) => `${n},p${n}@example.com,user-${n},${hash}`);
  await writeFile(here.path("users.csv"), ["id,email,username,password_hash", ...rows].join("\n"));
  const db = new DatabaseSync(here.path("latchkey.db"), { readOnly: true });
  const count = (table: string): number => Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n);
  const seen: number[] = [];
  for (const part of [0.05, 0.3, 0.6]) {
    expect(await runImport(here, () => count("users") > part * people)).toBe(false);
    seen.push(count("users"));
    // Whole accounts, always: each with its password and its event.
    expect([count("passwords"), count("audit_events")]).toEqual([seen.at(-1), seen.at(-1)]);
  }
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect(seen.at(-1)).toBeLessThan(people);
  expect(await runImport(here, null)).toBe(true);
  expect([count("users"), count("passwords")]).toEqual([people, people]);
  // One for each account, and the one that says that the import has finished.
  expect(count("audit_events")).toBe(people + 1);
  db.close();
  expect(await readFile(here.path("users.csv"), "utf8")).toContain("p4999@");
});
