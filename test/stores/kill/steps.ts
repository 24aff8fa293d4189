import type { AuditRow } from "../../../src/domain/audit.ts";
import type { Session } from "../../../src/domain/session.ts";
import type { User } from "../../../src/domain/user.ts";
import type { Report, Write } from "../../../src/ports/store.ts";
import type { Fixtures } from "../../../src/testing/fixtures.ts";
import type { Chance } from "./chance.ts";

/** What the stores must say of a user. */
export interface State {
  readonly userId: string;
  readonly generation: number;
  readonly version: number;
  readonly name: string | null;
  /** The version and the content of each session's data, and the number of its refresh token, by the session's id. */
  readonly sessions: Readonly<Record<string, string>>;
  /** Ids of audit rows. */
  readonly rows: readonly string[];
}

/** A transaction, and the state that it leads to. */
export interface Step {
  readonly writes: readonly Write[];
  readonly after: Life;
  /** What a process that dies may leave where sessions are in another engine than the rest, as `split` says. */
  readonly halfway: readonly Life[];
}

/** A user with all that the next step is made from. */
export interface Life {
  readonly user: User;
  /** Oldest first. */
  readonly sessions: readonly Session[];
  readonly rows: readonly string[];
}

const CAP = 3;
/** Of one transaction, so that half of them would be seen. */
const ROWS = 3;

/** The part of a life that the stores can be asked about. */
export function stateOf({ user, sessions, rows }: Life): State {
  return {
    userId: user.id,
    generation: user.generation,
    version: user.version,
    name: user.name,
    sessions: Object.fromEntries(sessions.map((session) => [session.id, bagOf(session)])),
    rows: rows.toSorted(),
  };
}

/** What is compared of a session. */
export function bagOf({ dataVersion, data, refresh }: Session): string {
  return `${dataVersion} ${refresh?.number ?? "none"} ${JSON.stringify(data)}`;
}

/** Registers a user, who is signed in at once. @param name - unique */
export function birth(make: Fixtures, name: string): Step {
  const user = make.user({ username: name, email: `${name}@example.com`, name });
  const session = make.session(user, { lastUsedAt: user.createdAt });
  const rows = rowsOf(make, user);
  const writes: readonly Write[] = [
    { kind: "user.insert", user },
    { kind: "password.insert", credential: make.password(user) },
    { kind: "session.insert", session, cap: CAP, evicted: () => [] },
    ...inserted(rows),
  ];
  const after = { user, sessions: [session], rows: idsOf(rows) };
  return { writes, after, halfway: [{ ...after, sessions: [] }] };
}

/** Something that the user does next. @param turn - rises: of two sessions it is clear which was used last */
export function nextStep(life: Life, make: Fixtures, draw: Chance, turn: number): Step {
  const session = life.sessions[draw(Math.max(1, life.sessions.length))];
  if (session === undefined) return signIn(life, make, turn);
  const kinds = [
    signIn,
    setData(session),
    refresh(session),
    rotate(session),
    signOut(session),
    rename,
    endAll,
  ];
  return kinds[draw(kinds.length)]?.(life, make, turn) ?? signIn(life, make, turn);
}

type Kind = (life: Life, make: Fixtures, turn: number) => Step;

const signIn: Kind = ({ user, sessions, rows }, make, turn) => {
  const session = make.session(user, { lastUsedAt: later(user, turn), data: { turn } });
  const all = [...sessions, session];
  const evicted = all.slice(0, -CAP);
  const own = rowsOf(make, user);
  const of = reports(make, user, evicted);
  const writes: readonly Write[] = [
    { kind: "user.require", userId: user.id, generation: user.generation },
    { kind: "session.insert", session, cap: CAP, evicted: of.report },
    ...inserted(own),
  ];
  const signedIn = { user, sessions, rows: [...rows, ...idsOf(own)] };
  const evicting = { ...signedIn, sessions: all.slice(-CAP) };
  const after = { ...evicting, rows: [...signedIn.rows, ...of.ids] };
  return { writes, after, halfway: [signedIn, evicting] };
};

const setData =
  (session: Session): Kind =>
  ({ user, sessions, rows }, make, turn) => {
    const { id, dataVersion } = session;
    const data = { turn, note: "x".repeat(turn % 2_000) };
    const changed = { ...session, data, dataVersion: dataVersion + 1 };
    const own = rowsOf(make, user);
    const writes: readonly Write[] = [
      { kind: "session.set_data", sessionId: id, dataVersion, data },
      ...inserted(own),
    ];
    const reported = { user, sessions, rows: [...rows, ...idsOf(own)] };
    return {
      writes,
      after: { ...reported, sessions: replaced(sessions, id, changed) },
      halfway: [reported],
    };
  };

const refresh =
  (session: Session): Kind =>
  ({ user, sessions, rows }, make) => {
    const { id, refresh: before, lastUsedAt } = session;
    // No later use: whom the cap ends is to be as it was.
    const family = make.refreshFamily({ number: (before?.number ?? -1) + 1, refreshedAt: lastUsedAt });
    const own = rowsOf(make, user);
    const writes: readonly Write[] = [
      { kind: "user.require", userId: user.id, generation: user.generation },
      { kind: "session.refresh", sessionId: id, from: before?.number ?? null, family },
      ...inserted(own),
    ];
    const refreshed = { user, sessions: replaced(sessions, id, { ...session, refresh: family }), rows };
    return { writes, after: { ...refreshed, rows: [...rows, ...idsOf(own)] }, halfway: [refreshed] };
  };

const rotate =
  (from: Session): Kind =>
  ({ user, sessions, rows }, make) => {
    const { lastUsedAt, data, dataVersion } = from;
    const session = make.session(user, { lastUsedAt, dataVersion, rotatedFrom: from.id });
    const own = rowsOf(make, user);
    const writes: readonly Write[] = [
      { kind: "user.require", userId: user.id, generation: user.generation },
      { kind: "session.rotate", from: from.id, session },
      ...inserted(own),
    ];
    const left = { user, sessions: without(sessions, from.id), rows: [...rows, ...idsOf(own)] };
    const after = { ...left, sessions: replaced(sessions, from.id, { ...session, data }) };
    return { writes, after, halfway: [left] };
  };

const signOut =
  (session: Session): Kind =>
  ({ user, sessions, rows }, make) => {
    const own = rowsOf(make, user);
    const of = reports(make, user, [session]);
    const writes: readonly Write[] = [
      { kind: "session.delete", sessionId: session.id, userId: user.id, ended: of.report },
      ...inserted(own),
    ];
    const after = {
      user,
      sessions: without(sessions, session.id),
      rows: [...rows, ...idsOf(own), ...of.ids],
    };
    return { writes, after, halfway: [] };
  };

const rename: Kind = ({ user, sessions, rows }, make, turn) => {
  const { id: userId, version } = user;
  const changes = { name: `name ${turn}` };
  const own = rowsOf(make, user);
  const writes: readonly Write[] = [{ kind: "user.update", userId, version, changes }, ...inserted(own)];
  const after = { ...user, ...changes, version: version + 1 };
  return { writes, after: { user: after, sessions, rows: [...rows, ...idsOf(own)] }, halfway: [] };
};

const endAll: Kind = ({ user, sessions, rows }, make) => {
  const { id: userId, generation, version } = user;
  const own = rowsOf(make, user);
  const of = reports(make, user, sessions);
  const writes: readonly Write[] = [
    { kind: "user.advance", userId, from: generation },
    { kind: "session.delete_all", userId, except: null, ended: of.report },
    ...inserted(own),
  ];
  const after = { ...user, generation: generation + 1, version: version + 1 };
  return {
    writes,
    after: { user: after, sessions: [], rows: [...rows, ...idsOf(own), ...of.ids] },
    halfway: [],
  };
};

function later({ createdAt }: User, turn: number): Date {
  return new Date(createdAt.getTime() + turn + 1);
}

function without(sessions: readonly Session[], id: string): readonly Session[] {
  return sessions.filter((each) => each.id !== id);
}

function replaced(sessions: readonly Session[], id: string, by: Session): readonly Session[] {
  return sessions.map((each) => (each.id === id ? by : each));
}

function rowsOf(make: Fixtures, { id: userId }: User): readonly AuditRow[] {
  return Array.from({ length: ROWS }, () => make.auditRow({ userId }));
}

function inserted(rows: readonly AuditRow[]): readonly Write[] {
  return rows.map((row) => ({ kind: "audit.insert", row }));
}

function idsOf(rows: readonly AuditRow[]): readonly string[] {
  return rows.map(({ id }) => id);
}

/** A report whose rows are known before, also where the transaction is run a second time. */
function reports(
  make: Fixtures,
  { id: userId }: User,
  ended: readonly Session[],
): { readonly report: Report; readonly ids: readonly string[] } {
  const rows = new Map(ended.map(({ id }) => [id, make.auditRow({ userId, sessionId: id })]));
  const rowOf = (id: string): AuditRow => {
    const row = rows.get(id);
    if (row === undefined) throw new Error(`${id} was not expected to end`);
    return row;
  };
  return { report: (each) => each.map(({ id }) => rowOf(id)), ids: [...rows.values()].map(({ id }) => id) };
}
