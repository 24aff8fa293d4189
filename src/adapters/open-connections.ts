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
  keep(socket: Duplex, opened: Opened): KeptConnection;
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
  const unsubscribe = auth.events.on("*", ({ type, userId }) =>
    userId !== null && endings.has(type) ? recheck(userId) : undefined,
  );
  return {
    recheck,
    keep(socket, opened) {
      const { id } = opened.principal.user;
      const theirs = byUser.get(id) ?? new Set();
      byUser.set(id, theirs);
      const connection = new Connection(auth, socket, opened, recheckSeconds);
      theirs.add(connection);
      socket.once("close", () => {
        connection.stop();
        theirs.delete(connection);
        if (theirs.size === 0 && byUser.get(id) === theirs) byUser.delete(id);
      });
      return connection;
    },
    close() {
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
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
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
