import { lookup as resolve } from "node:dns";
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { isPublicAddress } from "./public-address.ts";

/** One attempt. */
export interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** From the first byte sent to the last received. */
  readonly timeoutMs: number;
  /** Whether the host may have an address of our own networks. */
  readonly allowsPrivateAddresses: boolean;
  /** Gives the attempt up. */
  readonly signal: AbortSignal;
}

/** What came of it. */
export interface PostAnswer {
  readonly status: number;
  /** As the answer asks for it, in seconds; null where it does not. */
  readonly retryAfterSeconds: number | null;
}

/** Why nothing was sent. */
export class AddressRefused extends Error {
  override readonly name = "AddressRefused";
}

/** Of an answer nothing but the status counts; this much is read, so that the other side is not cut off in its sentence. */
const mostBytes = 65_536;

/**
 * Posts once. The address that is connected to is the one that was looked at: a name that leads elsewhere a moment later gains
 * nothing. A redirect is an answer like any other.
 *
 * @throws AddressRefused where the host has no address that may be called; Error where there is no answer in time
 */
export async function post(wanted: Post): Promise<PostAnswer> {
  const url = new URL(wanted.url);
  const literal = url.hostname.replace(/^\[|\]$/g, "");
  // A literal is connected to without a look-up.
  if (isIP(literal) !== 0) assertCallable(literal, wanted);
  const signal = AbortSignal.any([wanted.signal, AbortSignal.timeout(wanted.timeoutMs)]);
  const answer = await send(url, wanted, signal);
  await drain(answer);
  return { status: answer.statusCode ?? 0, retryAfterSeconds: secondsOf(answer.headers["retry-after"]) };
}

function send(url: URL, wanted: Post, signal: AbortSignal): Promise<IncomingMessage> {
  const { body, headers } = wanted;
  const request = url.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((answered, failed) => {
    const outgoing = request(url, {
      method: "POST",
      headers: { ...headers, "Content-Length": Buffer.byteLength(body) },
      lookup: callable(wanted),
      // A connection of its own: nothing of one endpoint waits behind another.
      agent: false,
      signal,
    });
    outgoing.once("response", answered);
    outgoing.once("error", failed);
    // Of a 101 that nobody asked for there is no other word, and neither signal nor time limit has one afterwards.
    outgoing.once("close", () => failed(new Error("the connection ended without an answer")));
    outgoing.end(body);
  });
}

/** Resolves a name to those of its addresses that may be called. */
function callable(wanted: Post): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, "");
      const good = addresses.filter(
        ({ address }) => wanted.allowsPrivateAddresses || isPublicAddress(address),
      );
      const [first] = good;
      if (first === undefined) return callback(refused(hostname), "");
      if (options.all === true) callback(null, good);
      else callback(null, first.address, first.family);
    });
  };
}

function assertCallable(address: string, { allowsPrivateAddresses }: Post): void {
  if (!allowsPrivateAddresses && !isPublicAddress(address)) throw refused(address);
}

function refused(host: string): AddressRefused {
  return new AddressRefused(`${host} has no public address`);
}

/** Reads the rest of an answer within bounds. What goes wrong here comes too late to matter. */
function drain(answer: IncomingMessage): Promise<void> {
  return new Promise((done) => {
    let length = 0;
    answer.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > mostBytes) answer.destroy();
    });
    answer.once("error", () => done());
    answer.once("close", () => done());
  });
}

function secondsOf(header: string | undefined): number | null {
  return header !== undefined && /^\d{1,9}$/.test(header) ? Number(header) : null;
}
