/** How much time passes at least between two moments at which all connections of a pool are given up. */
const restMs = 1_000;

/**
 * Which connections of a pool are to be made anew. After a failover one may be left that leads to the former primary: it goes on
 * answering reads, with what lies there, and refuses every write, for as long as the process runs.
 */
export interface Renewal {
  /** Whether a connection that was just taken was there when all were last given up: it is closed, and another one taken. */
  isOld(connection: object): boolean;
  /** Gives up all connections that are there, since one of them led to a server that only reads. At most once a second. */
  demand(): void;
}

/** The renewal of one pool's connections, which are told apart by identity. */
export function renewal(): Renewal {
  const rounds = new WeakMap<object, number>();
  let round = 0;
  let demandedAt = Number.NEGATIVE_INFINITY;
  return {
    isOld(connection) {
      const first = rounds.get(connection) ?? round;
      rounds.set(connection, first);
      return first < round;
    },
    demand() {
      const now = performance.now();
      // A server that refuses writes for longer would otherwise be connected to anew by every request.
      if (now - demandedAt < restMs) return;
      demandedAt = now;
      round++;
    },
  };
}
