import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { systemClock, systemRandom } from "../../src/services/system.ts";
import { sqlite } from "../../src/stores/sqlite/sqlite.ts";
import { fixtures } from "../../src/testing/fixtures.ts";

/** What another process can be asked to do with a database file. */
export type Role = "commit" | "open" | "end-session" | "hold-rollback-journal";

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

/** Rows that one transaction of the role `commit` writes into the audit log, besides a user and a session. */
export const rowsPerCommit = 8;

const roles: Readonly<Record<Role, (path: string, argument: string) => Promise<void>>> = {
  // Prints a number for each transaction, once it is acknowledged; until it is killed.
  async commit(path, from) {
    const { directory } = sqlite({ path });
    const make = fixtures(systemClock(), systemRandom());
    const call = { now: new Date(), signal: new AbortController().signal };
    for (let number = Number(from); ; number++) {
      const user = make.user({ username: `user${number}`, email: `user${number}@example.com` });
      const rows = Array.from({ length: rowsPerCommit }, () => make.auditRow({ userId: user.id }));
      const result = await directory.commit(
        [
          { kind: "user.insert", user },
          ...rows.map((row) => ({ kind: "audit.insert", row }) as const),
          { kind: "session.insert", session: make.session(user), cap: 0, evicted: () => [] },
        ],
        call,
      );
      if (!result.ok) throw new Error(result.refused);
      console.log(number);
    }
  },

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
