import { describe, expect, it } from "vitest";
import type { Session } from "../../src/domain/session.ts";
import type { User, UserChanges } from "../../src/domain/user.ts";
import type { Committed, Report, Write } from "../../src/ports/store.ts";
import { auditQuery, userQuery } from "../../src/testing/queries.ts";
import { sqliteFile } from "./sqlite-file.ts";

const silent: Report = () => [];

function setUp() {
  const file = sqliteFile();
  const stores = file.open();
  const commit = (...writes: Write[]): Promise<Committed> => stores.directory.commit(writes, file.call());
  return { ...file, stores, commit };
}

describe("a commit", () => {
  it("tells of sessions over the cap in the order of their last use, whatever their ids", async () => {
    const { make, clock, commit } = setUp();
    const user = make.user();
    const sessions: Session[] = [];
    for (const letter of "dbeac") {
      clock.advance(1);
      sessions.push(make.session(user, { id: letter.repeat(24) }));
    }
    const insert = (session: Session, cap: number): Write => ({
      kind: "session.insert",
      session,
      cap,
      evicted: silent,
    });
    await commit({ kind: "user.insert", user }, ...sessions.map((session) => insert(session, 0)));
    const result = await commit(insert(make.session(user), 2));
    expect(result.ok && result.ended.map(({ id }) => id[0]).join("")).toBe("dbea");
  });

  it("lets somebody go who is no active superuser, also where there is none at all", async () => {
    const { make, commit } = setUp();
    const [plain, former] = [make.user(), make.user({ isSuperuser: true, status: "disabled" })];
    await commit({ kind: "user.insert", user: plain }, { kind: "user.insert", user: former });
    for (const { id } of [plain, former, { id: "nobody" }]) {
      const result = await commit({ kind: "directory.require_other_superuser", userId: id });
      expect(result).toMatchObject({ ok: true });
    }
  });

  it("changes no field of a user but those that flows may change, and leaves out what is undefined", async () => {
    const { make, commit, stores, call } = setUp();
    const user = make.user({ name: "Ana" });
    const smuggled = {
      generation: 9,
      version: 9,
      slotTag: "theirs",
      id: "theirs",
      __proto__: { tier: "gold" },
    };
    const changes = { locale: "de", name: undefined, ...smuggled } as UserChanges;
    await commit(
      { kind: "user.insert", user },
      { kind: "user.update", userId: user.id, version: 1, changes },
    );
    expect(await stores.directory.user(user.id, call())).toEqual({ ...user, locale: "de", version: 2 });
  });

  it("fails on what the schema does not allow, and does not call it a taken address", async () => {
    const { make, commit, stores, call } = setUp();
    const user = make.user();
    await commit({ kind: "user.insert", user });
    const impossible = make.user({ email: user.email, status: "nonsense" as User["status"] });
    await expect(commit({ kind: "user.insert", user: impossible })).rejects.toThrow(/CHECK/);
    const again = make.user({ id: user.id });
    await expect(commit({ kind: "user.insert", user: again })).rejects.toThrow(/UNIQUE/);
    const stranger = make.password(make.user());
    await expect(commit({ kind: "password.insert", credential: stranger })).rejects.toThrow(/FOREIGN KEY/);
    const sealed = [1, 2].map(() => ({ kind: "audit.insert", row: { ...make.auditRow(), seq: 1 } }) as const);
    await expect(commit(...sealed)).rejects.toThrow(/UNIQUE/);
    expect(await stores.directory.user(user.id, call())).toEqual(user);
  });
});

describe("the audit log", () => {
  it("is read by the time of the events, newest first, and by their order within one millisecond", async () => {
    const { make, clock, stores, commit, call } = setUp();
    const late = make.auditRow({ createdAt: new Date(clock.now().getTime() + 1) });
    const [early, next] = [make.auditRow(), make.auditRow()];
    await commit(...[late, early, next].map((row) => ({ kind: "audit.insert", row }) as const));
    const rows = await stores.directory.auditRows(auditQuery({ limit: 9 }), call());
    expect(rows).toEqual([late, next, early]);
  });
});

describe("a sweep", () => {
  it("deletes no more than it was asked to, values and counters together", async () => {
    const { stores, clock, call } = setUp();
    for (const key of ["a", "b", "c"]) {
      await stores.ephemeral.put(key, "value", 60, call());
      await stores.ephemeral.reserve([{ key, limit: 9, windowSeconds: 60 }], call());
    }
    clock.advance(60);
    const swept = [];
    for (let turn = 0; turn < 3; turn++) swept.push(await stores.ephemeral.sweep(4, call()));
    expect(swept).toEqual([4, 2, 0]);
  });
});

describe("no statement", () => {
  it("reads a whole table", async () => {
    const { make, open, raw, call } = sqliteFile();
    const statements = new Set<string>();
    const { directory, sessions, ephemeral } = open({ onStatement: (sql) => statements.add(sql) });
    const [user, root, session] = [make.user(), make.user({ isSuperuser: true }), make.session(null)];
    const evicted = silent;
    const ended = silent;
    const writes: readonly Write[] = [
      { kind: "user.insert", user },
      { kind: "user.require", userId: user.id, generation: 1 },
      { kind: "password.insert", credential: make.password(user) },
      { kind: "session.insert", session: make.session(user), cap: 1, evicted },
      { kind: "session.insert", session, cap: 0, evicted },
      { kind: "session.set_data", sessionId: session.id, dataVersion: 0, data: {} },
      { kind: "session.refresh", sessionId: session.id, from: null, family: make.refreshFamily() },
      { kind: "session.rotate", from: session.id, session: make.session(user) },
      { kind: "session.replace", replaces: session.id, ended, session: make.session(user), cap: 1, evicted },
      { kind: "session.delete", sessionId: session.id, ended },
      { kind: "session.delete_all", userId: user.id, except: null, ended },
      { kind: "directory.require_other_superuser", userId: user.id },
      { kind: "user.update", userId: user.id, version: 1, changes: { isSuperuser: true } },
      { kind: "user.advance", userId: user.id, from: 1 },
      { kind: "audit.insert", row: make.auditRow({ userId: user.id }) },
      { kind: "user.erase", userId: user.id, requires: "any" },
      { kind: "user.insert", user: root },
    ];
    expect(await directory.commit(writes, call())).toMatchObject({ ok: true });
    const password = make.password(user, { version: 2 });
    await directory.commit([{ kind: "directory.require_empty" }], call());
    await directory.commit([{ kind: "password.replace", credential: password }], call());
    await directory.commit([{ kind: "user.insert", user: make.user({ email: root.email }) }], call());
    for (const kind of ["id", "email", "username"] as const)
      directory.userWithPassword({ kind, key: "" }, call());
    directory.user(user.id, call());
    directory.isEmpty(call());
    directory.deletedBefore(new Date(), 9, call());
    for (const userId of [user.id, null]) directory.auditRows(auditQuery({ userId, limit: 9 }), call());
    for (const asked of [{ types: ["user.updated"] }, { userId: user.id, types: ["user.updated"] }] as const)
      directory.auditRows(auditQuery({ ...asked, before: "gone" }), call());
    const [row, tier, mail] = [make.auditRow(), make.tier(), make.mail(user)];
    await directory.commit([{ kind: "audit.insert", row }], call());
    await directory.sealAudit({ limit: 99, chain: () => "digest" }, call());
    const checkpoint = { seq: 1, chainHash: "digest", createdAt: new Date(), signature: "s" };
    const people: readonly Write[] = [
      { kind: "audit.checkpoint", checkpoint },
      { kind: "cursor.move", name: "mine", from: null, to: 1 },
      { kind: "cursor.move", name: "mine", from: 1, to: 2 },
      { kind: "cursor.delete", name: "mine" },
      { kind: "tier.insert", tier },
      { kind: "tier.update", name: tier.name, version: 1, limits: [] },
      { kind: "tier.require", name: tier.name },
      { kind: "tier.delete", name: tier.name },
      { kind: "mail.insert", mail },
      { kind: "mail.delete", mailId: mail.id },
      { kind: "mail.insert", mail },
    ];
    expect(await directory.commit(people, call())).toMatchObject({ ok: true });
    await directory.claimMail({ limit: 9, leasedUntil: new Date() }, call());
    await directory.dropAudit({ throughSeq: 9, limit: 9 }, call());
    await directory.dropApiKeyUsage(new Date(), 9, call());
    directory.sealedAudit({ afterSeq: 0, limit: 9 }, call());
    directory.auditCheckpoints(call());
    directory.cursor("mine", call());
    directory.tiers(call());
    for (const asked of [{ role: "editor" }, { search: "a", tier: "pro" }, {}])
      await directory.users(userQuery(asked), call());
    await directory.statistics(new Date(0), call());
    await sessions.count(call());
    for (const ids of [["a"], ["a", "b"]]) sessions.find(ids, call());
    sessions.list(user.id, call());
    await sessions.touch([{ sessionId: "a", usedAt: new Date(), idleExpiresAt: new Date() }], call());
    await sessions.sweep(9, silent, call());
    await ephemeral.put("key", "value", 60, call());
    ephemeral.read("key", call());
    await ephemeral.take("key", call());
    await ephemeral.add("key", 60, call());
    await ephemeral.reserve([{ key: "key", limit: 1, windowSeconds: 60 }], call());
    for (const keys of [["key"], ["key"]]) await ephemeral.refund(keys, call());
    await ephemeral.remove(["key"], call());
    await ephemeral.sweep(9, call());

    const explained = [...statements].filter((sql) => /\b(SELECT|UPDATE|DELETE)\b/.test(sql));
    expect(explained.length).toBeGreaterThan(30);
    const db = raw();
    const details = (sql: string): readonly string[] =>
      db
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => String(detail));
    const scans = explained.filter((sql) =>
      details(sql).some((detail) =>
        /^SCAN (?!.* USING (COVERING )?INDEX audit_events_(created_at|unsealed)\b)/.test(detail),
      ),
    );
    expect(new Set(scans)).toEqual(
      new Set([
        "SELECT 1 FROM users LIMIT 1",
        // What is small: an application has some dozens of these.
        "SELECT seq, chain_hash FROM audit_checkpoints ORDER BY seq DESC LIMIT 1",
        "SELECT seq, chain_hash, created_at, signature FROM audit_checkpoints ORDER BY seq",
        "SELECT id, name, limits, version, created_at, updated_at FROM tiers ORDER BY name",
        // Along an index that holds these alone, and not on the way of a request.
        "SELECT status, count(*) FROM users WHERE status <> 'active' GROUP BY status",
        "SELECT count(*) FROM api_keys",
      ]),
    );
    const sorts = explained.filter((sql) => details(sql).some((detail) => detail.includes("FOR ORDER BY")));
    // A user's sessions are few; what may be many comes in the order of an index.
    expect(sorts.filter((sql) => !sql.includes("FROM sessions s"))).toEqual([]);
  });
});
