import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { AuditRow } from "../../domain/audit.ts";
import { anonymousEmail, anonymousUsername, type User } from "../../domain/user.ts";
import { auditQuery } from "../queries.ts";
import { hostileTexts, withNul } from "./hostile.ts";
import { same } from "./same.ts";
import { addUser, committed, refused, write } from "./steps.ts";
import type { Rules, Trial } from "./trial.ts";

async function rows(
  { stores, call }: Trial,
  userId: string | null,
  limit = 100,
): Promise<readonly AuditRow[]> {
  return stores.directory.auditRows(auditQuery({ userId, limit }), call());
}

/** The audit log, and erasing what is personal. */
export const auditRules: Rules = {
  "an audit row comes back as inserted, personal fields and all": async (trial) => {
    const { make } = trial;
    const about = { userId: (await addUser(trial)).id, sessionId: "s".repeat(24), requestId: "request-1" };
    const full = make.auditRow({
      ...about,
      type: "user.updated",
      payload: { fields: ["name", "Ünïcode '\"; --"] },
      ip: "2001:db8::7",
      userAgent: "Ünïcode 🔑 '\"; --",
    });
    const empty = make.auditRow({ ip: null, userAgent: null });
    await committed(trial, [write.audit(full)]);
    trial.clock.advance(1);
    await committed(trial, [write.audit({ ...empty, createdAt: trial.clock.now() })]);
    same(await rows(trial, null), [{ ...empty, createdAt: trial.clock.now() }, full]);
  },

  "a row is unsealed: seq and chainHash are null": async (trial) => {
    await committed(trial, [write.audit(trial.make.auditRow())]);
    const [row] = await rows(trial, null);
    deepStrictEqual([row?.seq, row?.chainHash], [null, null]);
  },

  "rows are given newest first, of one user or of everybody, up to the limit": async (trial) => {
    const { make, clock } = trial;
    const [a, b] = [(await addUser(trial)).id, (await addUser(trial)).id];
    const written: AuditRow[] = [];
    for (const userId of [a, b, a, null, a]) {
      clock.advance(1);
      const row = make.auditRow({ userId });
      await committed(trial, [write.audit(row)]);
      written.unshift(row);
    }
    const ids = (of: readonly AuditRow[]): readonly string[] => of.map(({ id }) => id);
    deepStrictEqual(ids(await rows(trial, null)), ids(written));
    deepStrictEqual(ids(await rows(trial, null, 2)), ids(written.slice(0, 2)));
    const ofA = written.filter(({ userId }) => userId === a);
    deepStrictEqual(ids(await rows(trial, a)), ids(ofA));
    deepStrictEqual(ids(await rows(trial, a, 1)), ids(ofA.slice(0, 1)));
  },

  "rows are given by the time of their event, of one instant the last written first": async (trial) => {
    const { make, clock } = trial;
    const at = (seconds: number): Date => new Date(clock.now().getTime() + seconds * 1000);
    const written: AuditRow[] = [];
    for (const seconds of [1, 3, 2, 2]) written.push(make.auditRow({ createdAt: at(seconds) }));
    for (const row of written) await committed(trial, [write.audit(row)]);
    const [first, third, second, secondAgain] = written;
    const expected = [third, secondAgain, second, first].map((row) => row?.id);
    deepStrictEqual(
      (await rows(trial, null)).map(({ id }) => id),
      expected,
    );
  },

  "nobody's rows are none, however hostile the name": async (trial) => {
    const { make } = trial;
    await committed(trial, [
      write.audit(make.auditRow({ userId: "somebody" })),
      write.audit(make.auditRow()),
    ]);
    for (const userId of [...hostileTexts, ...hostileTexts.map(withNul), withNul("somebody")]) {
      deepStrictEqual([...(await rows(trial, userId))], []);
    }
  },

  "the rows of reports are written with the change, in order, and answered": async (trial) => {
    const { make } = trial;
    const user = await addUser(trial);
    const [first, second] = [make.session(user), make.session(user)];
    await committed(trial, [write.session(first), write.session(second)]);
    const revoked = make.auditRow({ type: "session.revoked", sessionId: first.id });
    const all = make.auditRow({ type: "sessions.revoked_all", userId: user.id });
    const result = await committed(trial, [
      write.end(first.id, (ended) => (ended.length === 1 ? [revoked] : [])),
      write.endAll(user.id, null, (ended) => (ended.length === 1 ? [all] : [])),
    ]);
    same(result.reported, [revoked, all]);
    same(result.ended, [first, second]);
    const ids = (await rows(trial, null)).map(({ id }) => id);
    deepStrictEqual([...ids].sort(), [revoked.id, all.id].sort());
  },

  "a report is called once for its write, also where nothing ended": async (trial) => {
    const { make } = trial;
    const user = await addUser(trial);
    const seen: (readonly [string, number])[] = [];
    const noted = (name: string) => (ended: readonly unknown[]) => {
      seen.push([name, ended.length]);
      return [];
    };
    await committed(trial, [
      write.session(make.session(user), 5, noted("insert")),
      write.session(make.session(user), 1, noted("insert over the cap")),
      write.replace("nobody's", make.session(user), { ended: noted("replace"), evicted: noted("no cap") }),
      write.end("nobody's", noted("end")),
      write.endAll(user.id, null, noted("end all")),
      write.endAll(user.id, null, noted("end all again")),
    ]);
    deepStrictEqual(seen, [
      ["insert", 0],
      ["insert over the cap", 1],
      ["replace", 0],
      ["no cap", 0],
      ["end", 0],
      ["end all", 2],
      ["end all again", 0],
    ]);
  },

  "erasing removes what is personal of this user alone, for good": async (trial) => {
    const { stores, call, clock, make } = trial;
    const personal = {
      name: "Ana",
      roles: ["editor"],
      permissions: ["invoice:read"],
      tier: "pro",
      locale: "pt",
    };
    const revokedTokens = [{ tokenId: "t", expiresAt: clock.now() }];
    const more = {
      data: { phone: "+1" } as User["data"],
      isSuperuser: true,
      mustChangePassword: true,
      emailVerified: true,
      revokedTokens,
    };
    const user = await addUser(trial, { ...personal, ...more, status: "deleted", deletedAt: clock.now() });
    const other = await addUser(trial, { ...personal, ...more });
    const written = [user, other].map(({ id }) => make.auditRow({ userId: id }));
    await committed(trial, [
      ...[user, other].map((of) => ({ kind: "password.insert", credential: make.password(of) }) as const),
      ...written.map(write.audit),
    ]);
    clock.advance(60);
    await committed(trial, [write.erase(user.id), write.erase("nobody")]);
    const email = anonymousEmail(user.id);
    const nothing = {
      name: null,
      roles: [],
      permissions: [],
      tier: null,
      locale: null,
      data: {},
      revokedTokens: [],
      isSuperuser: false,
      mustChangePassword: false,
    };
    const erased = {
      ...user,
      ...nothing,
      ...{ email, emailKey: email, emailVerified: false, username: anonymousUsername(user.id) },
      ...{ status: "anonymized", version: user.version + 1, updatedAt: clock.now() },
    };
    const read = await stores.directory.userWithPassword({ kind: "id", key: user.id }, call());
    same(read, { user: erased, password: null });
    deepStrictEqual([...((await rows(trial, user.id))[0]?.personal ?? ["missing"])], []);
    same(await rows(trial, other.id), [written[1]]);
    const untouched = await stores.directory.userWithPassword({ kind: "id", key: other.id }, call());
    same(untouched?.user, other);
    strictEqual(untouched?.password === null, false);
  },

  "an account is erased as deleted only while it is": async (trial) => {
    const { stores, call, clock } = trial;
    const user = await addUser(trial, { status: "deleted", deletedAt: clock.now() });
    await committed(trial, [write.update(user, { status: "active", deletedAt: null })]);
    await refused(trial, [write.erase(user.id, "deleted")], "conflict");
    strictEqual((await stores.directory.user(user.id, call()))?.status, "active");
    const again = { ...user, version: 2 };
    await committed(trial, [write.update(again, { status: "deleted", deletedAt: clock.now() })]);
    await committed(trial, [write.erase(user.id, "deleted")]);
    await refused(trial, [write.erase(user.id, "deleted")], "conflict");
    await refused(trial, [write.erase("nobody", "deleted")], "conflict");
  },

  "the digests of an erased user's rows stay, for the chain": async (trial) => {
    const user = await addUser(trial);
    const row = trial.make.auditRow({ userId: user.id });
    await committed(trial, [write.audit(row), write.erase(user.id)]);
    same(await rows(trial, user.id), [{ ...row, personal: [] }]);
  },

  "the address and the username of an erased user are free": async (trial) => {
    const user = await addUser(trial);
    await committed(trial, [write.erase(user.id)]);
    const { email, emailKey, username } = user;
    await addUser(trial, { email, emailKey, username });
  },
};
