import type { AuditCheckpoint } from "../../domain/audit.ts";
import type { OutboxMail } from "../../domain/outbox.ts";
import type { Tier } from "../../domain/tier.ts";
import type { DirectoryStore } from "../../ports/directory-store.ts";
import { checkpointOf, checkpointRow, mailOf, mailRow, tierOf, tierRow } from "../people-rows.ts";
import { type Journal, type Table, table } from "./journal.ts";

/** The plans of one engine, by name. */
export interface TierTable {
  get(name: string): Tier | null;
  /** In the order of their names. */
  all(): readonly Tier[];
  hasId(id: string): boolean;
  put(tier: Tier): void;
  delete(name: string): void;
}

/** The mails of one engine that are to be sent. */
export interface OutboxTable {
  /** @throws TypeError where the id is taken */
  insert(mail: OutboxMail): void;
  delete(mailId: string): void;
  deleteOfUser(userId: string): void;
  /** Takes what is due at `now`. */
  claim(claim: Parameters<DirectoryStore["claimMail"]>[0], now: Date): readonly OutboxMail[];
}

/** The signed positions of one engine's audit log. */
export interface CheckpointTable {
  /** Oldest first. */
  all(): readonly AuditCheckpoint[];
  newest(): AuditCheckpoint | null;
  add(checkpoint: AuditCheckpoint): void;
}

// As text, like every record. @see records.ts

/** An empty table of tiers. */
export function tierTable(log: Journal): TierTable {
  const texts = table<string>(log);
  const all = (): readonly Tier[] => read(texts, tierOf).sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    all,
    get(name) {
      const text = texts.get(name);
      return text === undefined ? null : tierOf(JSON.parse(text));
    },
    hasId: (id) => all().some((tier) => tier.id === id),
    put: (tier) => texts.set(tier.name, JSON.stringify(tierRow(tier))),
    delete: (name) => texts.delete(name),
  };
}

/** An empty outbox. */
export function outboxTable(log: Journal): OutboxTable {
  const texts = table<string>(log);
  const put = (mail: OutboxMail): void => texts.set(mail.id, JSON.stringify(mailRow(mail)));
  return {
    insert(mail) {
      if (texts.has(mail.id)) throw new TypeError("there is a mail of this id already");
      put(mail);
    },
    delete: (mailId) => texts.delete(mailId),
    deleteOfUser(userId) {
      for (const mail of read(texts, mailOf)) if (mail.userId === userId) texts.delete(mail.id);
    },
    claim({ limit, leasedUntil }, now) {
      const due = read(texts, mailOf).filter(({ nextAttemptAt }) => nextAttemptAt <= now);
      due.sort((a, b) => a.nextAttemptAt.getTime() - b.nextAttemptAt.getTime() || (a.id < b.id ? -1 : 1));
      const claimed = due
        .slice(0, limit)
        .map((mail) => ({ ...mail, attempts: mail.attempts + 1, nextAttemptAt: leasedUntil }));
      claimed.forEach(put);
      return claimed.map(({ nextAttemptAt, ...mail }) => ({
        ...mail,
        nextAttemptAt: new Date(nextAttemptAt),
      }));
    },
  };
}

/** An empty table of checkpoints. */
export function checkpointTable(log: Journal): CheckpointTable {
  const texts = table<string>(log);
  const all = (): readonly AuditCheckpoint[] => read(texts, checkpointOf).sort((a, b) => a.seq - b.seq);
  return {
    all,
    newest: () => all().at(-1) ?? null,
    add: (checkpoint) => texts.set(String(checkpoint.seq), JSON.stringify(checkpointRow(checkpoint))),
  };
}

function read<Row, T>(texts: Table<string>, of: (row: Row) => T): T[] {
  return [...texts.entries()].map(([, text]) => of(JSON.parse(text)));
}
