import { isDeepStrictEqual } from "node:util";
import type { Stores } from "../../../src/ports/stores.ts";
import { auditQuery } from "../../../src/testing/queries.ts";
import { bagOf, type State } from "./steps.ts";
import type { WorkerLine } from "./worker.ts";

/** Of each row that `fixtures` make: an address and a user agent. */
const PERSONAL_FIELDS = 2;

/** What a killed process was doing to a user. */
interface Entry {
  /** The last state that it acknowledged; null: that there is nobody. */
  readonly before: State | null;
  /** Its last transaction; null where that was acknowledged. */
  readonly underWay: Pick<Extract<WorkerLine, { kind: "begins" }>, "after" | "halfway"> | null;
}

/** What processes have printed, and whether the stores agree. */
export interface Ledger {
  /** Transactions that were acknowledged. */
  readonly acknowledged: number;
  read(line: WorkerLine): void;
  /**
   * Looks at every user so far. What was under way when the process died is done or not, and stays so.
   *
   * @param isWhole - false: sessions are in another engine than the rest, and a transaction may have stopped between two steps
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
        entries.set(userId, { before: entries.get(userId)?.before ?? null, underWay: line });
        known.set(userId, new Set([...(known.get(userId) ?? []), ...Object.keys(sessions)]));
        return;
      }
      acknowledged++;
      entries.set(line.userId, { before: entries.get(line.userId)?.underWay?.after ?? null, underWay: null });
    },
    async check(stores, isWhole) {
      const one = async ([userId, entry]: readonly [string, Entry]): Promise<readonly string[]> => {
        const seen = await look(stores, userId, known.get(userId) ?? new Set());
        entries.set(userId, { before: seen, underWay: null });
        const allowed = statesOf(entry, isWhole);
        if (allowed.some((state) => isDeepStrictEqual(state, seen))) return [];
        return allowed.map((state) => `${userId}: ${difference(state, seen)}`);
      };
      return (await Promise.all([...entries].map(one))).flat();
    },
  };
}

/** What the stores say of a user; null: that there is none. */
async function look(stores: Stores, userId: string, sessionIds: ReadonlySet<string>): Promise<State | null> {
  const call = { now: new Date(), signal: AbortSignal.timeout(10_000) };
  const user = await stores.directory.user(userId, call);
  const rows = await stores.directory.auditRows(auditQuery({ userId, limit: 10_000 }), call);
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

/** What may be seen of a user, the likeliest last. */
function statesOf({ before, underWay }: Entry, isWhole: boolean): readonly (State | null)[] {
  if (underWay === null) return [before];
  return [before, ...(isWhole ? [] : underWay.halfway), underWay.after];
}

/** In words that fit on a line: a state has hundreds of rows. */
function difference(expected: State | null, seen: State | null): string {
  const brief = (state: State | null) => JSON.stringify(state && { ...state, rows: state.rows.length });
  const lost = expected?.rows.filter((id) => !seen?.rows.includes(id)).length ?? 0;
  const more = seen?.rows.filter((id) => !expected?.rows.includes(id)).length ?? 0;
  return `${brief(seen)} is not ${brief(expected)}; ${lost} rows lost, ${more} too many`;
}
