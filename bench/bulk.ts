import type { DetachedSessions, Session, StoreCall, Stores, User, Write } from "latchkey";

/** Users, and sessions of theirs, that are added together. */
export interface Addition {
  readonly users: readonly User[];
  readonly sessions: readonly Session[];
}

/** Adds many at a time and leaves what as many sign-ins would have left. */
export type Add = (addition: Addition, call: StoreCall) => Promise<void>;

/** Sessions that one call of an {@link Add} adds at a time, where each is a call of its own. */
const insertsAtOnce = 8;

/** Adds in one transaction. @throws Error - it was refused */
export function committing(directory: Stores["directory"]): Add {
  return async ({ users, sessions }, call) => {
    const writes: readonly Write[] = [
      ...users.map((user): Write => ({ kind: "user.insert", user })),
      ...sessions.map((session): Write => ({ kind: "session.insert", session, cap: 0, evicted: () => [] })),
    ];
    const result = await directory.commit(writes, call);
    if (!result.ok) throw new Error(`what was to be added was refused: ${result.refused}`);
  };
}

/** Adds users in one transaction and their sessions beside it, as `split` does without asking both engines before and after each. */
export function inserting(directory: Stores["directory"], detached: DetachedSessions): Add {
  const commit = committing(directory);
  return async ({ users, sessions }, call) => {
    await commit({ users, sessions: [] }, call);
    await atOnce(insertsAtOnce, oneOfEach(sessions), (session) => detached.insert(session, 0, call));
  };
}

/** Runs `work` for each item, `most` at a time. */
export async function atOnce<T>(
  most: number,
  items: Iterable<T>,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  // One iterator for all of them: each takes the next item that nobody has.
  const left = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = left.next(); !next.done; next = left.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: most }, worker));
}

// The first session of every user, then the second, …: those of one user may have to wait for each other.
function oneOfEach(sessions: readonly Session[]): readonly Session[] {
  const turns = new Map<string | null, number>();
  const turnOf = ({ userId }: Session): number => {
    const turn = turns.get(userId) ?? 0;
    turns.set(userId, turn + 1);
    return turn;
  };
  const withTurn = sessions.map((session) => ({ session, turn: turnOf(session) }));
  return withTurn.toSorted((a, b) => a.turn - b.turn).map(({ session }) => session);
}
