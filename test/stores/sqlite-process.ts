import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { sqlite } from "../../src/stores/sqlite/sqlite.ts";

/** What another process can be asked to do with a database file. */
export type Role = "open" | "end-session" | "hold-rollback-journal";

/** A process that runs a role, and the lines that it prints. */
export interface OtherProcess {
  readonly child: ChildProcess;
  readonly lines: Interface;
  /** The next line. */
  line(): Promise<string>;
  /** Resolves with the exit code, null after a kill. */
  readonly ended: Promise<number | null>;
}

/** Starts this file as a process of its own. */
export function startProcess(role: Role, path: string, argument = ""): OtherProcess {
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", fileURLToPath(import.meta.url), role, path, argument],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const lines = createInterface({ input: child.stdout });
  const ended = once(child, "exit").then(([code]) => code as number | null);
  return { child, lines, line: async () => String((await once(lines, "line"))[0]), ended };
}

const roles: Readonly<Record<Role, (path: string, argument: string) => Promise<void>>> = {
  // Opens the file at the word of the parent, together with others.
  async open(path) {
    console.log("ready");
    await once(process.stdin, "data");
    const stores = sqlite({ path });
    const states = (await stores.migrations.status()).map(({ state }) => state);
    await stores.directory.close();
    console.log(states.join(" "));
    process.exit();
  },

  async "end-session"(path, sessionId) {
    const { directory } = sqlite({ path });
    const call = { now: new Date(0), signal: new AbortController().signal };
    await directory.commit([{ kind: "session.delete", sessionId, ended: () => [] }], call);
    console.log("ended");
    process.exit();
  },

  // Has the file locked as a program does that never heard of WAL, and lets go a moment later.
  async "hold-rollback-journal"(path) {
    const db = new DatabaseSync(path);
    db.exec("CREATE TABLE theirs (a TEXT); BEGIN IMMEDIATE");
    console.log("held");
    setTimeout(() => {
      db.exec("COMMIT");
      db.close();
    }, 100);
  },
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , role, path = "", argument = ""] = process.argv;
  await roles[role as Role](path, argument);
}
