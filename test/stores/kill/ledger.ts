import { isDeepStrictEqual } from "node:util";
import type { Stores } from "../../../src/ports/stores.ts";
import { bagOf, type State } from "./steps.ts";
import type { WorkerLine } from "./worker.ts";

/** Of each row that `fixtures` make: an address and a user agent. */
const PERSONAL_FIELDS = 2;

/** What a killed process was doing to a user. */
interface Entry {
  /** The last state that it acknowledged; null: that there is nobody. */
  readonly before: State | null;
  /** The state that its last transaction leads to; null where that was acknowledged. */
  readonly after: State | null;
}

/** What processes have printed, and whether the stores agree. */
export interface Ledger {
  /** Transactions that were acknowledged. */
  readonly acknowledged: number;
  read(line: WorkerLine): void;
  /**
   * Looks at every user so far. What was under way when the process died is done or not, and stays so.
   *
   * @param isWhole - false: sessions are in another engine than the rest, and each may be done without the other
   * @returns what the stores say that they may not, one line each
   */
  check(stores: Stores, isWhole: boolean): Promise<readonly string[]>;
}

export function ledger(): Ledger {
  const entries = new Map<string, Entry>();
  /** Ids of sessions of each user, those that ended as well. */
  const known = new Map<string, Set<string>>();
  let acknowledged = 0;
  return {
    get acknowledged() {
      return acknowledged;
    },
    read(line) {
      if (line.kind === "begins") {
        const { userId, sessions } = line.after;
        entries.set(userId, { before: entries.get(userId)?.before ?? null, after: line.after });
        known.set(userId, new Set([...(known.get(userId) ?? []), ...Object.keys(sessions)]));
        return;
      }
      acknowledged++;
      entries.set(line.userId, { before: entries.get(line.userId)?.after ?? null, after: null });
    },
    async check(stores, isWhole) {
      const faults: string[] = [];
      for (const [userId, entry] of entries) {
        const seen = await look(stores, userId, known.get(userId) ?? new Set());
        const complaints = isWhole ? wholeFaults(entry, seen) : splitFaults(entry, seen);
        faults.push(...complaints.map((text) => `${userId}: ${text}`));
        entries.set(userId, { before: seen, after: null });
      }
      return faults;
    },
  };
}

/** What the stores say of a user; null: that there is none. */
async function look(stores: Stores, userId: string, sessionIds: ReadonlySet<string>): Promise<State | null> {
  const call = { now: new Date(), signal: AbortSignal.timeout(10_000) };
  const user = await stores.directory.user(userId, call);
  const rows = await stores.directory.auditRows({ userId, limit: 10_000 }, call);
  const listed = await stores.sessions.list(userId, call);
  const sessions = Object.fromEntries(listed.map((session) => [session.id, bagOf(session)]));
  for (const id of sessionIds) {
    const [found] = await stores.sessions.find([id], call);
    const isThere =
      found !== null &&
      found !== undefined &&
      !found.expired &&
      found.user?.generation === found.session.generation;
    if (isThere !== id in sessions)
      sessions[id] = `a check ${isThere ? "finds" : "misses"} it, the list does not`;
  }
  const maimed = rows.filter(({ personal }) => personal.length !== PERSONAL_FIELDS).length;
  if (user === null && rows.length === 0 && Object.keys(sessions).length === 0) return null;
  return {
    userId,
    generation: user?.generation ?? 0,
    version: user?.version ?? 0,
    name: user === null ? "nobody, with remains" : user.name,
    sessions,
    rows: [
      ...rows.map(({ id }) => id),
      ...Array.from({ length: maimed }, () => "without its personal fields"),
    ].sort(),
  };
}

function wholeFaults({ before, after }: Entry, seen: State | null): readonly string[] {
  const allowed = after === null ? [before] : [before, after];
  if (allowed.some((state) => isSame(state, seen))) return [];
  return allowed.map((state) => difference(state, seen));
}

/** Directory and sessions by themselves: see the docstring of `split`. */
function splitFaults({ before, after }: Entry, seen: State | null): readonly string[] {
  if (after === null) return wholeFaults({ before, after }, seen);
  const faults: string[] = [];
  const fields = (state: State | null) => state && [state.generation, state.version, state.name];
  if (![before, after].some((state) => isSame(fields(state), fields(seen)))) {
    faults.push(`${JSON.stringify(fields(seen))} is no state of the user`);
  }
  const [old, fresh] = [before?.sessions ?? {}, after.sessions];
  for (const [id, bag] of Object.entries(seen?.sessions ?? {})) {
    if (bag !== old[id] && bag !== fresh[id]) faults.push(`session ${id} should not be: ${bag}`);
  }
  for (const id of Object.keys(old)) {
    if (id in fresh && seen?.sessions[id] === undefined) faults.push(`session ${id} is lost`);
  }
  const rows = new Set(seen?.rows);
  if (before?.rows.some((id) => !rows.has(id))) faults.push("rows of the audit log are lost");
  if (seen?.rows.some((id) => !after.rows.includes(id))) faults.push("the audit log has rows of nobody");
  return faults;
}

/** In words that fit on a line: a state has hundreds of rows. */
function difference(expected: State | null, seen: State | null): string {
  const brief = (state: State | null) => JSON.stringify(state && { ...state, rows: state.rows.length });
  const lost = expected?.rows.filter((id) => !seen?.rows.includes(id)).length ?? 0;
  const more = seen?.rows.filter((id) => !expected?.rows.includes(id)).length ?? 0;
  return `${brief(seen)} is not ${brief(expected)}; ${lost} rows lost, ${more} too many`;
}

function isSame(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(one, other);
}
