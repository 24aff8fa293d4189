import type { InvalidationChannel } from "./channel.ts";
import { linkedChannel } from "./linked-channel.ts";
import type { ChannelLog } from "./outage.ts";

/** What is used of pg's `Client`. */
export interface ListeningClient {
  connect(): Promise<unknown>;
  query(text: string, values?: unknown[]): Promise<unknown>;
  on(event: "notification", listener: (message: { readonly payload?: string | undefined }) => void): unknown;
  on(event: "error" | "end", listener: () => void): unknown;
  end(): Promise<unknown>;
  /** Where it is there, a connection that does not end by itself is torn down. */
  readonly connection?: { readonly stream: { destroy(): unknown } };
}

/** What {@link postgresChannel} takes. */
export interface PostgresChannelOptions {
  /** Makes a client that is not connected: `() => new Client(url)`. Asked again for every new connection. */
  readonly client: () => ListeningClient;
  /** Default `latchkey`. Processes on one database hear each other by it. */
  readonly name?: string;
  /** Told where the channel stays cut, and when it is whole again. Default: warnings of the process. */
  readonly log?: ChannelLog;
}

/**
 * A channel over LISTEN and NOTIFY, on a connection of its own: straight to the server, since a pooler in transaction mode
 * (PgBouncer) does not hand on what is heard. Four small statements a second for each process.
 *
 * A change is told right after it was committed, and not by its own transaction: commits that notify wait for each other in
 * the whole server.
 *
 * @see https://www.postgresql.org/docs/current/sql-notify.html
 */
export function postgresChannel({
  client,
  name = "latchkey",
  log,
}: PostgresChannelOptions): InvalidationChannel {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(name))
    throw new TypeError("postgresChannel: name has to be a plain lower-case identifier");
  return linkedChannel((hear, lost) => {
    const listening = client();
    listening.on("error", lost);
    listening.on("end", lost);
    listening.on("notification", ({ payload }) => hear(payload ?? ""));
    return {
      ready: listening.connect().then(() => listening.query(`LISTEN ${name}`)),
      send: (text) => listening.query("SELECT pg_notify($1, $2)", [name, text]),
      end: () => endSoon(listening),
    };
  }, log);
}

/** How long a server may take to say goodbye. */
const goodbyeMs = 500;

function endSoon(client: ListeningClient): void {
  const timer = setTimeout(() => client.connection?.stream.destroy(), goodbyeMs);
  client.end().then(
    () => clearTimeout(timer),
    () => clearTimeout(timer),
  );
}
