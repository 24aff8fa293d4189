import type { Duplex } from "node:stream";
import type { Auth } from "../auth.ts";
import type { EventType } from "../domain/event.ts";
import type { SignedIn } from "../domain/principal.ts";

/** What is used of a WebSocket library's socket. */
export interface ClosableSocket {
  close(code: number, reason: string): unknown;
}

type Opened = Parameters<Auth["recheckConnection"]>[0];

/** A connection in view. */
export interface KeptConnection {
  readonly principal: SignedIn;
  closes(socket: ClosableSocket): void;
}

/** Connections that are ended when what they were opened with is. */
export interface OpenConnections {
  /** @param heard - {@link OpenConnections.heard} as it was before it was decided that this may be opened */
  keep(socket: Duplex, opened: Opened, heard: number): KeptConnection;
  /** How many endings were heard of, whoever's. */
  readonly heard: number;
  readonly isClosed: boolean;
  /** Looks at those of a user now. */
  recheck(userId: string): Promise<void>;
  close(): void;
}

/** Close codes. @see RFC 6455, section 7.4.1 */
const mayNotStay = 1008;
const tryAgainLater = 1013;
const goingAway = 1001;

/** Milliseconds until a connection is cut whose peer does not take leave. */
const graceMs = 1_000;

/** What can end a connection, or what its guards allow. */
const endings: ReadonlySet<EventType> = new Set<EventType>([
  "session.revoked",
  "session.evicted",
  "session.expired",
  "session.rotated",
  "sessions.revoked_all",
  "user.logged_out",
  "user.updated",
  "user.disabled",
  "user.deleted",
  "user.anonymized",
  "user.impersonation_stopped",
  "password.changed",
  "password.reset",
  "role.changed",
  "tier.changed",
  "token.revoked",
  "token.reused",
  "api_key.updated",
  "api_key.revoked",
]);

/** Keeps connections in view: each is looked at every `recheckSeconds`, and those of a user when something of theirs changes. */
export function openConnections(auth: Auth, recheckSeconds: number): OpenConnections {
  const byUser = new Map<string, Set<Connection>>();
  const recheck = async (userId: string): Promise<void> => {
    await Promise.all([...(byUser.get(userId) ?? [])].map((connection) => connection.recheck()));
  };
  let heard = 0;
  let isClosed = false;
  const unsubscribe = auth.events.on("*", ({ type, userId }) => {
    if (userId === null || !endings.has(type)) return undefined;
    heard++;
    return recheck(userId);
  });
  const add = (userId: string, connection: Connection): (() => void) => {
    const theirs = byUser.get(userId) ?? new Set();
    byUser.set(userId, theirs);
    theirs.add(connection);
    return () => {
      theirs.delete(connection);
      if (theirs.size === 0 && byUser.get(userId) === theirs) byUser.delete(userId);
    };
  };
  return {
    recheck,
    get heard() {
      return heard;
    },
    get isClosed() {
      return isClosed;
    },
    keep(socket, opened, before) {
      const { user, impersonator } = opened.principal;
      const connection = new Connection(auth, socket, opened, recheckSeconds);
      // Where somebody acts in another's place it ends with either.
      const whose = impersonator == null ? [user.id] : [user.id, impersonator.id];
      const removals = whose.map((id) => add(id, connection));
      socket.once("close", () => {
        connection.stop();
        for (const remove of removals) remove();
      });
      // What it was decided by may have ended while that was under way.
      if (heard !== before) void connection.recheck();
      return connection;
    },
    close() {
      isClosed = true;
      unsubscribe();
      for (const theirs of byUser.values()) for (const connection of theirs) connection.end(goingAway, "");
    },
  };
}

/** One of them. A class, since it owns a socket and a timer. */
class Connection implements KeptConnection {
  readonly #auth: Auth;
  readonly #socket: Duplex;
  readonly #timer: NodeJS.Timeout;
  #opened: Opened;
  #closable: ClosableSocket | null = null;
  /** How often in a row it could not be looked at. */
  #failures = 0;
  #looking: Promise<void> | null = null;
  #isStale = false;

  constructor(auth: Auth, socket: Duplex, opened: Opened, recheckSeconds: number) {
    this.#auth = auth;
    this.#socket = socket;
    this.#opened = opened;
    this.#timer = setInterval(() => void this.recheck(), recheckSeconds * 1_000).unref();
  }

  get principal(): SignedIn {
    return this.#opened.principal;
  }

  closes(socket: ClosableSocket): void {
    this.#closable = socket;
  }

  /** One look at a time; what happens during one asks for another. */
  recheck(): Promise<void> {
    this.#isStale = true;
    this.#looking ??= this.#look();
    return this.#looking;
  }

  async #look(): Promise<void> {
    while (this.#isStale && !this.#socket.destroyed) {
      this.#isStale = false;
      const now = await this.#auth.recheckConnection(this.#opened);
      if (now.ok && now.principal.isAuthenticated) {
        this.#failures = 0;
        this.#opened = { ...this.#opened, principal: now.principal };
      } else if (now.ok || now.error.status < 429) this.end(mayNotStay, "the session has ended");
      else if (now.error.status >= 500 && ++this.#failures > 1) this.end(tryAgainLater, "try again later");
    }
    // In the step that found nothing stale: what happens any later begins another look.
    this.#looking = null;
  }

  /** Takes leave where the library's socket is known, and cuts the connection whether the peer answers or not. */
  end(code: number, reason: string): void {
    this.stop();
    const socket = this.#socket;
    try {
      this.#closable?.close(code, reason);
    } catch {
      // It is cut all the same.
    }
    if (this.#closable === null) return void socket.destroy();
    // What it still sends is heard by nobody; the library would read even what has arrived already.
    socket.removeAllListeners("data");
    socket.resume();
    setTimeout(() => socket.destroy(), graceMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
