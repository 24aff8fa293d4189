import type { AuditRow } from "../../domain/audit.ts";
import type {
  AuditQuery,
  DirectoryStatistics,
  DirectoryStore,
  SealedRows,
} from "../../ports/directory-store.ts";
import { type LogEnd, logEnd, sealedRows, seals } from "../sealing.ts";
import { type Journal, table } from "./journal.ts";
import { auditOf, auditText } from "./records.ts";

/** The audit log of one engine. What is in it ends with the process. */
export interface AuditTable {
  /** @throws TypeError where the id is taken */
  insert(row: AuditRow): void;
  /** Rows that are asked for, newest first. */
  rows(query: AuditQuery): readonly AuditRow[];
  /** Removes the personal fields from a user's rows. */
  erasePersonal(userId: string): void;
  /** The digest of a sealed row; null where there is no such row. */
  chainHash(seq: number): string | null;
  /** Seals the oldest unsealed rows; `checkpoint` is the newest one. */
  seal(sealing: Sealing, checkpoint: LogEnd | null): SealedRows | null;
  /** Sealed rows past `afterSeq`, in their order. */
  sealed(query: { readonly afterSeq: number; readonly limit: number }): readonly AuditRow[];
  /** Drops the oldest sealed rows up to `throughSeq`; how many. */
  drop(throughSeq: number, limit: number): number;
  /** What happened from `from` on, by type and reason. */
  counts(from: Date): DirectoryStatistics["events"];
}

type Sealing = Parameters<DirectoryStore["sealAudit"]>[0];

interface Kept {
  /** Counts rows in the order of their writing. */
  readonly position: number;
  readonly id: string;
  readonly userId: string | null;
  readonly type: AuditRow["type"];
  readonly at: number;
  readonly text: string;
}

/** An empty audit log. */
export function auditTable(log: Journal): AuditTable {
  const rows = table<Kept>(log);
  const unsealed = table<number>(log);
  const idsBySeq = table<string>(log);
  const bounds = table<number>(log);
  let written = 0;

  const all = (): readonly Kept[] => [...rows.entries()].map(([, row]) => row);
  const oldest = (): number => bounds.get("oldest") ?? 1;
  const newest = (): number => bounds.get("newest") ?? 0;

  function bySeq(seq: number): Kept | null {
    return rows.get(idsBySeq.get(String(seq)) ?? "") ?? null;
  }

  function number(id: string, seq: number): void {
    idsBySeq.set(String(seq), id);
    bounds.set("newest", Math.max(newest(), seq));
  }

  function end(): LogEnd | null {
    const last = bySeq(newest());
    return last === null ? null : { seq: newest(), chainHash: auditOf(last.text).chainHash };
  }

  function numbers(from: number, count: number): readonly number[] {
    const length = Math.max(0, Math.min(count, newest() - from + 1));
    return Array.from({ length }, (_, index) => from + index);
  }

  return {
    insert(row) {
      if (rows.has(row.id)) throw new TypeError("there is an audit row of this id already");
      const { id, userId, type, createdAt } = row;
      rows.set(id, { position: ++written, id, userId, type, at: createdAt.getTime(), text: auditText(row) });
      if (row.seq === null) unsealed.set(id, written);
      else number(id, row.seq);
    },
    rows({ userId, types, from, to, before, limit }) {
      const last = before === null ? null : rows.get(before);
      if (last === undefined) return [];
      const isAsked = (row: Kept): boolean =>
        (userId === null || row.userId === userId) &&
        (types === null || types.includes(row.type)) &&
        (from === null || row.at >= from.getTime()) &&
        (to === null || row.at < to.getTime()) &&
        (last === null || isNewer(last, row));
      const asked = all()
        .filter(isAsked)
        .sort((a, b) => (isNewer(a, b) ? -1 : 1));
      return asked.slice(0, limit).map(({ text }) => auditOf(text));
    },
    erasePersonal(userId) {
      for (const row of all().filter((each) => each.userId === userId))
        rows.set(row.id, { ...row, text: auditText({ ...auditOf(row.text), personal: [] }) });
    },
    chainHash(seq) {
      const row = bySeq(seq);
      return row === null ? null : auditOf(row.text).chainHash;
    },
    seal({ limit, chain }, checkpoint) {
      const waiting = [...unsealed.entries()].sort(([, a], [, b]) => a - b).slice(0, limit);
      const due = waiting.flatMap(([id]) => rows.get(id) ?? []);
      const given = seals(
        due.map(({ text }) => auditOf(text)),
        logEnd(end(), checkpoint),
        chain,
      );
      for (const [index, row] of due.entries()) {
        const { seq, chainHash } = given[index] as (typeof given)[number];
        rows.set(row.id, { ...row, text: auditText({ ...auditOf(row.text), seq, chainHash }) });
        unsealed.delete(row.id);
        number(row.id, seq);
      }
      return sealedRows(given);
    },
    sealed: ({ afterSeq, limit }) =>
      numbers(Math.max(afterSeq + 1, oldest()), limit).flatMap((seq) => {
        const row = bySeq(seq);
        return row === null ? [] : [auditOf(row.text)];
      }),
    drop(throughSeq, limit) {
      const due = numbers(oldest(), Math.min(limit, throughSeq - oldest() + 1));
      for (const seq of due) {
        rows.delete(idsBySeq.get(String(seq)) ?? "");
        idsBySeq.delete(String(seq));
      }
      bounds.set("oldest", oldest() + due.length);
      return due.length;
    },
    counts(from) {
      const counts = new Map<string, number>();
      for (const { type, text } of all().filter(({ at }) => at >= from.getTime())) {
        const name = JSON.stringify([type, reasonOf(auditOf(text).payload)]);
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
      return [...counts].map(([name, count]) => {
        const [type, reason]: [AuditRow["type"], string | null] = JSON.parse(name);
        return { type, reason, count };
      });
    },
  };
}

// Rows of one instant come in the order in which they were written.
function isNewer(a: Kept, b: Kept): boolean {
  return a.at === b.at ? a.position > b.position : a.at > b.at;
}

function reasonOf(payload: string): string | null {
  const { reason } = JSON.parse(payload) as { readonly reason?: unknown };
  return typeof reason === "string" ? reason : null;
}
