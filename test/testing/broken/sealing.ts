import type { AuditRow } from "../../../src/domain/audit.ts";
import type { AuditQuery, DirectoryStore } from "../../../src/ports/directory-store.ts";
import type { StoreCall, Write } from "../../../src/ports/store.ts";
import { auditQuery } from "../../../src/testing/queries.ts";
import { type Broken, brokenDirectory as broken, insisting, rewriting } from "./broken.ts";

const ordered = "rows are sealed in the order of writing, from 1, without a gap";
const searched = "rows are asked for by time, type, user and the row that a page ended with";

/** A log whose sealed rows are changed when they are read. */
function reading(
  mistake: string,
  caughtBy: string,
  change: (rows: readonly AuditRow[]) => readonly AuditRow[],
): Broken {
  return broken(mistake, caughtBy, ({ sealedAudit }) => ({
    sealedAudit: async (query, call) => change(await sealedAudit(query, call)),
  }));
}

/** A log that asks for other rows than it was asked for. */
function asking(mistake: string, change: (query: AuditQuery) => AuditQuery, caughtBy = searched): Broken {
  return broken(mistake, caughtBy, ({ auditRows }) => ({
    auditRows: (query, call) => auditRows(change(query), call),
  }));
}

/** The calls under way share one answer. */
function shared<Args extends readonly unknown[], T>(
  work: (...args: Args) => Promise<T>,
): (...args: Args) => Promise<T> {
  let underWay: Promise<T> | null = null;
  return (...args) => {
    underWay ??= work(...args).finally(() => {
      underWay = null;
    });
    return underWay;
  };
}

async function cursorAt(name: string, { cursor }: DirectoryStore, call: StoreCall): Promise<number | null> {
  return cursor(name, call);
}

export const brokenSealings: readonly Broken[] = [
  reading("rows are sealed by the time of their event", ordered, (rows) =>
    rows.toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime()),
  ),
  reading("positions begin at 0", ordered, (rows) =>
    rows.map((row) => ({ ...row, seq: (row.seq ?? 0) - 1 })),
  ),
  broken("all is sealed, whatever the limit", ordered, ({ sealAudit }) => ({
    sealAudit: ({ chain }, call) => sealAudit({ chain, limit: 1_000 }, call),
  })),
  broken(
    "the chain gets a row without its position",
    "the chain gets a row with its position, and the digest before it",
    ({ sealAudit }) => ({
      sealAudit: ({ chain, limit }, call) =>
        sealAudit({ limit, chain: (row, previous) => chain({ ...row, seq: null }, previous) }, call),
    }),
  ),
  broken(
    "each sealing begins a chain",
    "the chain gets a row with its position, and the digest before it",
    ({ sealAudit }) => ({
      sealAudit({ chain, limit }, call) {
        let count = 0;
        return sealAudit(
          { limit, chain: (row, previous) => chain(row, count++ === 0 ? null : previous) },
          call,
        );
      },
    }),
  ),
  broken(
    "positions are read of the sealed log alone",
    "a sealed row is read with its position, wherever it is read",
    ({ auditRows }) => ({
      auditRows: async (query, call) =>
        (await auditRows(query, call)).map((row) => ({ ...row, seq: null, chainHash: null })),
    }),
  ),
  broken(
    "an empty sealing has an answer",
    "nothing was sealed while there is nothing to seal",
    ({ sealAudit }) => ({
      sealAudit: async (sealing, call) =>
        (await sealAudit(sealing, call)) ?? { fromSeq: 1, toSeq: 0, chainHash: "" },
    }),
  ),
  broken(
    "a position is read once more",
    "sealed rows are given from a position on, up to the limit",
    ({ sealedAudit }) => ({
      sealedAudit: ({ afterSeq, limit }, call) => sealedAudit({ afterSeq: afterSeq - 1, limit }, call),
    }),
  ),
  reading(
    "digests are erased with what they are of",
    "erasing what is personal changes nothing that is sealed",
    (rows) => rows.map((row) => (row.personal.length === 0 ? { ...row, digests: "{}" } : row)),
  ),
  asking("the end of a span belongs to it", (query) => ({
    ...query,
    to: query.to === null ? null : new Date(query.to.getTime() + 1),
  })),
  asking("the beginning of a span does not belong to it", (query) => ({
    ...query,
    from: query.from === null ? null : new Date(query.from.getTime() + 1),
  })),
  asking("no types are all types", (query) => ({
    ...query,
    types: query.types?.length === 0 ? null : query.types,
  })),
  asking("one type is looked for", (query) => ({ ...query, types: query.types?.slice(0, 1) ?? null })),
  broken("before a row is before its instant", searched, ({ auditRows }) => ({
    async auditRows(query, call) {
      if (query.before === null) return auditRows(query, call);
      const rows = await auditRows(auditQuery({ limit: 1_000 }), call);
      const at = rows.find(({ id }) => id === query.before)?.createdAt ?? null;
      const to = query.to === null || (at !== null && at < query.to) ? at : query.to;
      return auditRows({ ...query, before: null, to }, call);
    },
  })),
  broken(
    "before a row that is not there is everything",
    "before a row that is not there, there is nothing",
    ({ auditRows }) => ({
      async auditRows(query, call) {
        const all = await auditRows(auditQuery({ limit: 1_000 }), call);
        const isThere = all.some(({ id }) => id === query.before);
        return auditRows(
          { ...query, before: isThere ? query.before : null, types: null, userId: null },
          call,
        );
      },
    }),
  ),
  rewriting(
    "a checkpoint may have any digest",
    "a checkpoint is of a sealed row, of its digest, and past the one before",
    async (write, { directory }, call) => {
      if (write.kind !== "audit.checkpoint") return [write];
      const { seq } = write.checkpoint;
      const [row] = await directory.sealedAudit({ afterSeq: seq - 1, limit: 1 }, call);
      return row?.seq === seq
        ? [{ ...write, checkpoint: { ...write.checkpoint, chainHash: row.chainHash ?? "" } }]
        : [write];
    },
  ),
  broken(
    "the newest checkpoint comes first",
    "a checkpoint is of a sealed row, of its digest, and past the one before",
    ({ auditCheckpoints }) => ({
      auditCheckpoints: async (call) => [...(await auditCheckpoints(call))].reverse(),
    }),
  ),
  broken(
    "what is sealed may be dropped",
    "without a checkpoint nothing is dropped, and nothing past the newest one ever",
    ({ dropAudit, sealedAudit, commit }) => ({
      async dropAudit(dropping, call) {
        const rows = await sealedAudit({ afterSeq: 0, limit: 1_000 }, call);
        const last = rows.findLast(({ seq }) => (seq ?? 0) <= dropping.throughSeq);
        const checkpoint = {
          seq: last?.seq ?? 0,
          chainHash: last?.chainHash ?? "",
          createdAt: call.now,
          signature: "",
        };
        await commit([{ kind: "audit.checkpoint", checkpoint }], call);
        return dropAudit(dropping, call);
      },
    }),
  ),
  broken(
    "as much is dropped as may be",
    "without a checkpoint nothing is dropped, and nothing past the newest one ever",
    ({ dropAudit }) => ({
      dropAudit: ({ limit }, call) => dropAudit({ throughSeq: 1_000, limit }, call),
    }),
  ),
  broken(
    "positions are those of the rows that are left",
    "sealing goes on after the checkpoint where all before it was dropped",
    ({ sealAudit, dropAudit }) => {
      let dropped = 0;
      return {
        async dropAudit(dropping, call) {
          const count = await dropAudit(dropping, call);
          dropped += count;
          return count;
        },
        async sealAudit(sealing, call) {
          const part = await sealAudit(sealing, call);
          return part === null
            ? null
            : { ...part, fromSeq: part.fromSeq - dropped, toSeq: part.toSeq - dropped };
        },
      };
    },
  ),
  broken(
    "checkpoints go with their rows",
    "sealing goes on after the checkpoint where all before it was dropped",
    ({ auditCheckpoints, sealedAudit }) => ({
      async auditCheckpoints(call) {
        const [first] = await sealedAudit({ afterSeq: 0, limit: 1 }, call);
        return (await auditCheckpoints(call)).filter(({ seq }) => seq >= (first?.seq ?? 0));
      },
    }),
  ),
  broken(
    "nobody who follows is waited for",
    "what a cursor has not reached is not dropped",
    ({ commit, dropAudit, ...inner }) => {
      const names = new Set<string>();
      return {
        commit(writes, call) {
          for (const write of writes) if (write.kind === "cursor.move") names.add(write.name);
          return commit(writes, call);
        },
        async dropAudit(dropping, call) {
          const at = new Map<string, number>();
          for (const name of names) at.set(name, (await inner.cursor(name, call)) ?? 0);
          await commit(
            [...names].map((name) => ({ kind: "cursor.delete", name })),
            call,
          );
          const count = await dropAudit(dropping, call);
          const back: Write[] = [...at].map(([name, to]) => ({ kind: "cursor.move", name, from: null, to }));
          await commit(back, call);
          return count;
        },
      };
    },
  ),
  rewriting(
    "a cursor is moved by anybody",
    "a cursor is moved by who knows where it stands",
    async (write, { directory }, call) =>
      write.kind === "cursor.move"
        ? [{ ...write, from: await cursorAt(write.name, directory, call) }]
        : [write],
  ),
  broken(
    "an unknown cursor stands at the beginning",
    "a cursor is moved by who knows where it stands",
    ({ cursor }) => ({
      cursor: async (name, call) => (await cursor(name, call)) ?? 0,
    }),
  ),
  broken(
    "cursors that have not moved are not told",
    "every cursor is told, with where it stands",
    ({ cursors }) => ({
      cursors: async (call) => (await cursors(call)).filter(({ seq }) => seq > 0),
    }),
  ),
  broken(
    "the name of a cursor is a pattern",
    "what names no cursor is null, however hostile",
    ({ cursor, commit }) => {
      const names = new Set<string>();
      return {
        commit(writes, call) {
          for (const write of writes) if (write.kind === "cursor.move") names.add(write.name);
          return commit(writes, call);
        },
        cursor: (name, call) => cursor(name.startsWith("%") ? ([...names][0] ?? name) : name, call),
      };
    },
  ),
  broken(
    "two who seal at once get one answer",
    "of many who seal while others write, each row is sealed once and no position is left out",
    ({ sealAudit }) => ({ sealAudit: shared(sealAudit) }),
  ),
  broken(
    "a row is seen after the one that follows it",
    "who reads from a position on sees no later row before an earlier one",
    ({ sealedAudit }) => {
      const seen = new Set<number>();
      return {
        async sealedAudit(query, call) {
          const rows = await sealedAudit(query, call);
          const late = rows.find(({ seq }) => (seq ?? 0) % 3 === 0 && !seen.has(seq ?? 0));
          for (const { seq } of rows) seen.add(seq ?? 0);
          return rows.filter((row) => row !== late);
        },
      };
    },
  ),
  insisting(
    "the last who moves a cursor wins",
    "of many who move one cursor, or set one checkpoint, exactly one does",
    async (write, { directory }, call) =>
      write.kind === "cursor.move" ? { ...write, from: await cursorAt(write.name, directory, call) } : write,
  ),
  broken(
    "two who drop at once get one answer",
    "of many who drop at once each row is counted once",
    ({ dropAudit }) => ({
      dropAudit: shared(dropAudit),
    }),
  ),
  broken("rows are sealed one by one", "sealing that fails half-way seals nothing", ({ sealAudit }) => ({
    async sealAudit({ chain, limit }, call) {
      const first = limit > 0 ? await sealAudit({ chain, limit: 1 }, call) : null;
      let last = first;
      for (let count = 1; count < limit && last !== null; count++) {
        const next = await sealAudit({ chain, limit: 1 }, call);
        if (next === null) break;
        last = next;
      }
      return first === null || last === null ? null : { ...last, fromSeq: first.fromSeq };
    },
  })),
];
