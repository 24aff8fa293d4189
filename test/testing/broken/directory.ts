import type { Committed, Report, Write } from "../../../src/ports/store.ts";
import {
  type Broken,
  brokenDirectory as broken,
  closesOnce,
  ends,
  inserts,
  insisting,
  rewriting,
  shifted,
  yieldOnce,
} from "./broken.ts";

/** The write with its report, if it has one, replaced. */
function withReport(write: Write, change: (report: Report) => Report): Write {
  if (write.kind === "session.insert") return { ...write, evicted: change(write.evicted) };
  if (write.kind === "session.replace") {
    return { ...write, ended: change(write.ended), evicted: change(write.evicted) };
  }
  if (write.kind === "session.delete" || write.kind === "session.delete_all") {
    return { ...write, ended: change(write.ended) };
  }
  return write;
}

const undone = (words: string): string =>
  `${words.split(":")[0]}, with all writes undone, where${words.split(":")[1]}`;

export const brokenDirectories: readonly Broken[] = [
  broken("it cannot be closed twice", "ping resolves, and close may be called twice", closesOnce),
  broken("nothing to write is a failure", "an empty transaction is accepted", ({ commit }) => ({
    commit: async (writes, call) =>
      writes.length === 0 ? { ok: false, refused: "conflict" } : commit(writes, call),
  })),
  broken(
    "a user's own address counts as taken",
    "a user may keep their own address and username",
    ({ commit, userWithPassword }) => ({
      async commit(writes, call) {
        for (const write of writes) {
          if (write.kind !== "user.update" || write.changes.emailKey === undefined) continue;
          const holder = await userWithPassword({ kind: "email", key: write.changes.emailKey }, call);
          if (holder !== null) return { ok: false, refused: "email_taken" };
        }
        return commit(writes, call);
      },
    }),
  ),
  broken(
    "an address counts as taken by who gives it up beforehand in the transaction",
    "an address that one user gives up another takes in the same transaction",
    ({ commit, userWithPassword }) => ({
      async commit(writes, call) {
        for (const write of writes) {
          if (write.kind !== "user.update" || write.changes.emailKey === undefined) continue;
          const holder = await userWithPassword({ kind: "email", key: write.changes.emailKey }, call);
          if (holder !== null && holder.user.id !== write.userId)
            return { ok: false, refused: "email_taken" };
        }
        return commit(writes, call);
      },
    }),
  ),
  broken("writes are committed one by one", undone("stale: a required user is not active"), ({ commit }) => ({
    async commit(writes, call): Promise<Committed> {
      const whole = { ended: [], reported: [] } as { ended: unknown[]; reported: unknown[] };
      for (const write of writes) {
        const result = await commit([write], call);
        if (!result.ok) return result;
        whole.ended.push(...result.ended);
        whole.reported.push(...result.reported);
      }
      return { ok: true, ...whole } as Committed;
    },
  })),
  broken(
    "writes before the failing one stay",
    "a transaction that fails before any one of its writes leaves nothing half-done",
    ({ commit }) => ({
      async commit(writes, call) {
        const before: Write[] = [];
        for (const write of writes) {
          if (write.kind === "session.insert" && write.session.userId === null) break;
          before.push(write);
        }
        return commit(writes, call).catch(async (error) => {
          await commit(before, call);
          throw error;
        });
      },
    }),
  ),
  broken(
    "audit rows are written beside the transaction",
    undone("conflict: the data has another version"),
    ({ commit }) => ({
      async commit(writes, call) {
        const isRow = ({ kind }: Write): boolean => kind === "audit.insert";
        await commit(writes.filter(isRow), call);
        return commit(
          writes.filter((write) => !isRow(write)),
          call,
        );
      },
    }),
  ),
  broken("commits are forgotten", "a user comes back as inserted", () => ({
    commit: async () => ({ ok: true, ended: [], reported: [] }),
  })),
  broken(
    "a refused row is written over",
    "what an id names already is not overwritten: the transaction fails or is refused",
    ({ commit }) => ({
      async commit(writes, call) {
        return commit(writes, call).catch(() => commit(writes.slice(0, -1), call));
      },
    }),
  ),
  broken(
    "values that cannot be stored are dropped",
    "a transaction with a value that cannot be stored leaves nothing half-done",
    ({ commit }) => ({
      commit: (writes, call) => commit(writes, call).catch(() => commit(writes.slice(0, -1), call)),
    }),
  ),
  rewriting(
    "the required generation is ignored",
    "a user is required to be active and of the generation",
    (write) => (write.kind === "user.require" ? [] : [write]),
  ),
  rewriting(
    "the generation is required before the transaction, not in it",
    "no sign-in that races a password change leaves a session of the old password behind",
    async (write, { directory }, call) => {
      if (write.kind !== "user.require") return [write];
      const user = await directory.user(write.userId, call);
      await yieldOnce();
      return user?.generation === write.generation ? [] : [write];
    },
  ),
  rewriting(
    "the status is not looked at",
    undone("stale: a required user is not active"),
    async (write, { directory }, call) => {
      if (write.kind !== "user.require") return [write];
      const user = await directory.user(write.userId, call);
      return user?.generation === write.generation ? [] : [write];
    },
  ),
  rewriting(
    "any generation may be advanced",
    undone("stale: the generation to advance is another"),
    async (write, { directory }, call) => {
      if (write.kind !== "user.advance") return [write];
      const user = await directory.user(write.userId, call);
      return [{ ...write, from: user?.generation ?? write.from }];
    },
  ),
  rewriting(
    "any version may be updated",
    undone("conflict: the row to update has another version"),
    async (write, { directory }, call) => {
      if (write.kind !== "user.update") return [write];
      const user = await directory.user(write.userId, call);
      return [{ ...write, version: user?.version ?? write.version }];
    },
  ),
  insisting(
    "the last update wins",
    "of many concurrent updates of one version exactly one succeeds",
    async (write, { directory }, call) => {
      if (write.kind !== "user.update") return write;
      const user = await directory.user(write.userId, call);
      return { ...write, version: user?.version ?? write.version };
    },
  ),
  rewriting(
    "any version of a password may be replaced",
    undone("conflict: the password to replace has another version"),
    async (write, { directory }, call) => {
      if (write.kind !== "password.replace") return [write];
      const by = { kind: "id", key: write.credential.userId } as const;
      const password = (await directory.userWithPassword(by, call))?.password;
      return password === null || password === undefined
        ? [write]
        : [{ ...write, credential: { ...write.credential, version: password.version + 1 } }];
    },
  ),
  insisting(
    "the last first password wins",
    "of many concurrent first passwords exactly one is inserted",
    async (write, { directory }, call) => {
      if (write.kind !== "password.insert") return write;
      const { credential } = write;
      const by = { kind: "id", key: credential.userId } as const;
      const password = (await directory.userWithPassword(by, call))?.password ?? null;
      return password === null
        ? write
        : { kind: "password.replace", credential: { ...password, version: password.version + 1 } };
    },
  ),
  rewriting("anybody may be the first user", "of many concurrent first users exactly one is", (write) =>
    write.kind === "directory.require_empty" ? [] : [write],
  ),
  rewriting("the last superuser may go", "of two superusers who step down at once one stays", (write) =>
    write.kind === "directory.require_other_superuser" ? [] : [write],
  ),
  broken(
    "addresses are unique as long as nobody asks",
    "of many concurrent users with one address exactly one is inserted",
    ({ commit }) => ({
      async commit(writes, call) {
        const result = await commit(writes, call);
        if (result.ok || result.refused !== "email_taken") return result;
        return commit(
          writes.map((write) =>
            write.kind === "user.insert"
              ? { ...write, user: { ...write.user, emailKey: write.user.id } }
              : write,
          ),
          call,
        );
      },
    }),
  ),
  rewriting(
    "a username is kept in an update",
    "an address and a username that were given up are free",
    (write) => {
      if (write.kind !== "user.update") return [write];
      const { username, ...changes } = write.changes;
      return [{ ...write, changes }];
    },
  ),
  rewriting(
    "erasing does nothing",
    "erasing removes what is personal of this user alone, for good",
    (write) => (write.kind === "user.erase" ? [] : [write]),
  ),
  rewriting("any account is erased", "an account is erased as deleted only while it is", (write) =>
    write.kind === "user.erase" ? [{ ...write, requires: "any" }] : [write],
  ),
  rewriting(
    "erasing looks at the status before the transaction, not in it",
    "of an erasure of a deleted account and its restoration exactly one succeeds",
    async (write, { directory }, call) => {
      if (write.kind !== "user.erase" || write.requires === "any") return [write];
      const user = await directory.user(write.userId, call);
      await yieldOnce();
      return user?.status === "deleted" ? [{ ...write, requires: "any" }] : [write];
    },
  ),
  rewriting(
    "any session may be rotated",
    undone("conflict: the session to rotate is another user's"),
    (write) => (write.kind === "session.rotate" ? [ends(write.from), inserts(write.session)] : [write]),
  ),
  rewriting(
    "a report is called twice",
    "a report is called once for its write, also where nothing ended",
    (write) => [
      withReport(write, (report) => (ended) => {
        report(ended);
        return report(ended);
      }),
    ],
  ),
  rewriting(
    "a report is called only where something ended",
    "a report is called once for its write, also where nothing ended",
    (write) => [withReport(write, (report) => (ended) => (ended.length === 0 ? [] : report(ended)))],
  ),
  rewriting(
    "the rows of reports are lost",
    "the rows of reports are written with the change, in order, and answered",
    (write) => [
      withReport(write, (report) => (ended) => {
        report(ended);
        return [];
      }),
    ],
  ),
  broken("lookups ignore case and blanks", "what names nobody is null, however hostile", ({ user }) => ({
    user: (id, call) => user(id.trim(), call),
  })),
  broken("lookups end at a NUL", "what names nobody is null, however hostile", ({ userWithPassword }) => ({
    userWithPassword: (by, call) => userWithPassword({ ...by, key: by.key.split("\u0000")[0] ?? "" }, call),
  })),
  broken(
    "user and password are read one after the other",
    "a reader never sees the generation of one password with the hash of another",
    ({ userWithPassword }) => ({
      async userWithPassword(by, call) {
        const first = await userWithPassword(by, call);
        await yieldOnce();
        const second = await userWithPassword(by, call);
        return first === null || second === null ? null : { user: first.user, password: second.password };
      },
    }),
  ),
  broken(
    "users are cached per handle",
    "a change made through one handle is read through another at once",
    ({ user }) => {
      const cached = new Map<string, Awaited<ReturnType<typeof user>>>();
      return {
        async user(id, call) {
          const known = cached.get(id) ?? (await user(id, call));
          if (known !== null) cached.set(id, known);
          return known;
        },
      };
    },
  ),
  broken(
    "records are handed out without a copy",
    "what a reader does to its copy changes nothing in the store",
    ({ user }) => {
      const shared = new Map<string, Awaited<ReturnType<typeof user>>>();
      return {
        async user(id, call) {
          if (!shared.has(id)) shared.set(id, await user(id, call));
          return shared.get(id) ?? null;
        },
      };
    },
  ),
  broken("times are kept in whole seconds", "a user comes back as inserted", ({ user }) => ({
    async user(id, call) {
      const read = await user(id, call);
      return read === null
        ? null
        : { ...read, createdAt: new Date(Math.floor(read.createdAt.getTime() / 1000) * 1000) };
    },
  })),
  broken("data is merged by assignment", "a key named __proto__ in a user's data stays data", ({ user }) => ({
    async user(id, call) {
      const read = await user(id, call);
      return read === null ? null : { ...read, data: Object.assign({}, read.data) };
    },
  })),
  broken(
    "audit rows come oldest first",
    "rows are given newest first, of one user or of everybody, up to the limit",
    ({ auditRows }) => ({
      auditRows: async (query, call) => [...(await auditRows(query, call))].reverse(),
    }),
  ),
  broken(
    "audit rows come in the order of writing",
    "rows are given by the time of their event, of one instant the last written first",
    ({ auditRows, commit }) => {
      const order: string[] = [];
      return {
        async commit(writes, call) {
          for (const write of writes) if (write.kind === "audit.insert") order.unshift(write.row.id);
          return commit(writes, call);
        },
        auditRows: async (query, call) =>
          [...(await auditRows(query, call))].sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id)),
      };
    },
  ),
  rewriting("undefined is written as null", "a field given as undefined is not changed", (write) => {
    if (write.kind !== "user.update") return [write];
    const changes = Object.entries(write.changes).map(([field, value]) => [field, value ?? null]);
    return [{ ...write, changes: Object.fromEntries(changes) }];
  }),
  broken(
    "a deleted user stays on the list",
    "a user who was restored or erased is no longer listed as deleted",
    ({ deletedBefore }) => {
      const listed = new Set<string>();
      return {
        async deletedBefore(instant, limit, call) {
          for (const id of await deletedBefore(instant, limit, call)) listed.add(id);
          return [...listed];
        },
      };
    },
  ),
  broken(
    "audit rows are everybody's",
    "nobody's rows are none, however hostile the name",
    ({ auditRows }) => ({
      auditRows: (query, call) => auditRows({ ...query, userId: null }, call),
    }),
  ),
  broken(
    "personal fields are lost",
    "an audit row comes back as inserted, personal fields and all",
    ({ auditRows }) => ({
      auditRows: async (query, call) =>
        (await auditRows(query, call)).map((row) => ({ ...row, personal: [] })),
    }),
  ),
  broken("rows are numbered at once", "a row is unsealed: seq and chainHash are null", ({ auditRows }) => ({
    auditRows: async (query, call) => (await auditRows(query, call)).map((row) => ({ ...row, seq: 1 })),
  })),
  broken(
    "deleted users are listed at their instant",
    "deleted users are listed oldest first, up to an instant that is not included",
    ({ deletedBefore }) => ({
      deletedBefore: (instant, limit, call) =>
        deletedBefore(shifted({ ...call, now: instant }, 1).now, limit, call),
    }),
  ),
  broken("the directory always says that it is empty", "the directory is empty until the first user", () => ({
    isEmpty: () => true,
  })),
];
