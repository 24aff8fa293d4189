import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { User } from "latchkey";
import { migrateUp } from "./migrate.ts";

/** The application's own table, beside Latchkey's in the same file: a short number for each account. */
export interface Members {
  numberOf(accountId: string): number;
  /** The account with this number; null where there is none. */
  accountOf(number: number): string | null;
  close(): void;
}

/** A member as this API shows them. */
export interface Member {
  readonly id: number;
  readonly name: string | null;
  readonly email: string;
  readonly role: "admin" | "user";
  readonly created_at: string;
}

/** Opens the database over a connection of the application's own. */
export function openDatabase(folder: string): DatabaseSync {
  return new DatabaseSync(join(folder, "app.db"), { timeout: 1_000 });
}

export function openMembers(folder: string): Members {
  const db = openDatabase(folder);
  migrateUp(db);
  const add = db.prepare("INSERT INTO members (account) VALUES (?) ON CONFLICT DO NOTHING");
  const byAccount = db.prepare("SELECT id FROM members WHERE account = ?");
  const byNumber = db.prepare("SELECT account FROM members WHERE id = ?");
  return {
    numberOf(accountId) {
      const found = byAccount.get(accountId);
      if (found !== undefined) return Number(found.id);
      add.run(accountId);
      return Number(byAccount.get(accountId)?.id);
    },
    accountOf(number) {
      const found = byNumber.get(number);
      return found === undefined ? null : String(found.account);
    },
    close: () => db.close(),
  };
}

export function memberOf(members: Members, user: User): Member {
  return {
    id: members.numberOf(user.id),
    name: user.name,
    email: user.email,
    role: user.roles.includes("admin") ? "admin" : "user",
    created_at: user.createdAt.toISOString().slice(0, 19).replace("T", " "),
  };
}
