import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { Auth } from "../auth.ts";
import type { Principal, SignedIn } from "../domain/principal.ts";
import { AuthError } from "../errors.ts";
import type { Guard, Limiting, Open } from "../ports/guard.ts";
import type { AuthRequest, ClientInfo } from "../ports/request.ts";
import { assertAuth } from "./assert-auth.ts";
import { type NodeOptions, node } from "./node.ts";
import { type ClosableSocket, type OpenConnections, openConnections } from "./open-connections.ts";

export type { ClosableSocket } from "./open-connections.ts";

/** Settings of the adapter. */
export interface WebSocketOptions extends NodeOptions {
  /** How often each connection is looked at again: 1 to 3600 s, default 60. */
  readonly recheckSeconds?: number;
  /** How long a handshake may wait for its answer, whatever it waits for: 1 to 60 s, default 10. */
  readonly decideWithinSeconds?: number;
}

/** A connection that may be opened. */
export interface OpenedSocket<P extends Principal = Principal> {
  /** Who it is, as of the last time that was looked at. */
  readonly principal: P;
  /** The socket of the WebSocket library, which is told with close code 1008 before the connection ends, or 1013 where no store answers. */
  closes(socket: ClosableSocket): void;
}

/** WebSockets of any library, behind the pipeline. */
export interface WebSockets {
  /**
   * Decides about an upgrade request: by the ticket in its address where the feature `tickets` is listed, else by its cookie or header;
   * from a page of this origin or a trusted one only. The ticket is taken out of `request.url`, so that no log has it.
   *
   * Never rejects.
   *
   * @returns null where the request was refused: then it is answered, and the socket is gone
   */
  upgrade(
    request: IncomingMessage,
    socket: Duplex,
    open: Open,
    ...more: readonly (Open | Limiting)[]
  ): Promise<OpenedSocket<Principal> | null>;
  upgrade(
    request: IncomingMessage,
    socket: Duplex,
    ...guards: readonly Guard[]
  ): Promise<OpenedSocket<SignedIn> | null>;
  /** Looks at the connections of a user now, and ends those that may not stay: for what other processes tell by `auth.events.follow`. */
  recheck(userId: string): Promise<void>;
  /** Ends every connection, and with it what would keep them in view. */
  close(): void;
}

/**
 * Latchkey for WebSocket upgrades on `node:http`.
 *
 * ```ts
 * const { upgrade } = websockets(auth);
 * server.on("upgrade", async (request, socket, head) => {
 *   const opened = await upgrade(request, socket);
 *   if (opened !== null) wss.handleUpgrade(request, socket, head, (ws) => opened.closes(ws));
 * });
 * ```
 *
 * A connection ends when its session or account does: at once where this process is told of it, else when it is looked at
 * again. Where that cannot be done twice in a row, it ends as well.
 *
 * @throws TypeError for settings outside their range
 */
export function websockets(auth: Auth, options: WebSocketOptions = {}): WebSockets {
  assertAuth("websockets", auth);
  const { recheckSeconds = 60, decideWithinSeconds = 10 } = options;
  assertBetween("recheckSeconds", recheckSeconds, 3_600);
  assertBetween("decideWithinSeconds", decideWithinSeconds, 60);
  const inner = node(auth, options);
  const connections = openConnections(auth, recheckSeconds);
  return {
    async upgrade(incoming: IncomingMessage, socket: Duplex, ...guards: readonly Guard[]) {
      // Nobody else listens between the upgrade and the library's handshake, and an error unheard ends the process.
      socket.on("error", ignored);
      const { request, client } = inner.visit(incoming);
      incoming.url = withoutTicket(incoming.url ?? "/");
      const { heard } = connections;
      const decided = await within<Verdict>(
        decideWithinSeconds,
        auth.checkConnection(request, client, ...guards),
        undecided(decideWithinSeconds),
      );
      const verdict = connections.isClosed ? closed : decided;
      if (!verdict.ok) {
        await refuse(auth, socket, verdict, { request, client, seconds: decideWithinSeconds });
        return null;
      }
      if (socket.destroyed) return null;
      return opened(connections, socket, verdict.principal, { request, client, guards, heard });
    },
    recheck: connections.recheck,
    close: connections.close,
  };
}

type Verdict = Awaited<ReturnType<Auth["check"]>>;
type Refused = Extract<Verdict, { ok: false }>;

interface Asked {
  readonly request: AuthRequest;
  readonly client: ClientInfo;
}

function opened(
  connections: OpenConnections,
  socket: Duplex,
  principal: Principal,
  asked: Asked & { readonly guards: readonly Guard[]; readonly heard: number },
): OpenedSocket<SignedIn> {
  const { request, client, guards, heard } = asked;
  // Nobody's has nothing that could end. With an open guard the principal is typed for anybody; the overloads see to it.
  if (!principal.isAuthenticated)
    return { principal: principal as unknown as SignedIn, closes: () => undefined };
  return connections.keep(socket, { principal, request, client, guards }, heard);
}

/** What is decided when nobody keeps connections in view any more. */
const closed: Refused = {
  ok: false,
  error: new AuthError("overloaded", { retryAfterSeconds: 1, diagnosis: "the adapter was closed" }),
};

/** What is decided when nothing was decided in time. */
function undecided(seconds: number): Refused {
  const diagnosis = `the handshake was not decided within ${seconds} s`;
  return { ok: false, error: new AuthError("overloaded", { retryAfterSeconds: 1, diagnosis }) };
}

/** A handshake that nobody answers would hold its socket for ever: from here on no timeout of the server's counts. */
async function within<T>(seconds: number, answer: Promise<T>, otherwise: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), seconds * 1_000);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Fields that say how the bytes travel, which is not for an answer of the application's to say. */
const ofTheConnection: ReadonlySet<string> = new Set(["connection", "content-length", "transfer-encoding"]);

async function refuse(
  auth: Auth,
  socket: Duplex,
  refused: Refused,
  { request, client, seconds }: Asked & { readonly seconds: number },
): Promise<void> {
  const lines: string[] = [];
  const append = (name: string, value: string): void => void lines.push(`${name}: ${value}`);
  const asked = Promise.resolve(auth.onError?.(refused.error, request) ?? null);
  const own = await within<Response | null>(seconds, asked, null);
  // No page is shown for it, so it is sent nowhere.
  const answer = auth.errorAnswer({ ok: false, error: refused.error }, client);
  const body = own
    ? Buffer.from(await own.arrayBuffer().catch(() => new ArrayBuffer(0)))
    : Buffer.from(answer.body);
  for (const [name, value] of own ? own.headers : answer.headers)
    if (!ofTheConnection.has(name.toLowerCase())) append(name, value);
  if (refused.change !== undefined) auth.seal({ append }, refused.change);
  append("Content-Length", String(body.length));
  append("Connection", "close");
  const status = own?.status ?? answer.status;
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Refused"}\r\n${lines.join("\r\n")}\r\n\r\n`;
  end(socket, Buffer.concat([Buffer.from(head, "latin1"), body]));
}

// Whoever does not read the answer does not keep the socket by that.
function end(socket: Duplex, bytes: Buffer): void {
  if (socket.destroyed) return;
  socket.end(bytes);
  socket.resume();
  socket.once("end", () => socket.destroy());
  setTimeout(() => socket.destroy(), 1_000).unref();
}

function withoutTicket(url: string): string {
  const at = url.indexOf("?");
  const query = new URLSearchParams(at === -1 ? "" : url.slice(at + 1));
  if (!query.has("ticket")) return url;
  query.delete("ticket");
  return query.size === 0 ? url.slice(0, at) : `${url.slice(0, at)}?${query}`;
}

function assertBetween(name: string, value: number, most: number): void {
  if (value >= 1 && value <= most) return;
  throw new TypeError(`websockets: ${name} has to be from 1 to ${most}`);
}

function ignored(): void {}
