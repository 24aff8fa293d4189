import { hash, timingSafeEqual } from "node:crypto";
import { isLoopback } from "latchkey";

/** What is looked at of a request for the metrics. */
export interface MetricsRequest {
  /** Address of the peer, as the socket has it. */
  readonly peer: string | undefined;
  header(name: string): string | undefined;
}

/** Headers by which a proxy says that it asks for somebody else. */
const forwarding = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

/**
 * Whether somebody may read the metrics: who has the token; without one, programs of this machine. Not who comes through a proxy on
 * this machine, and not a page in a browser of this machine that reached the server under another name.
 *
 * @param token - null where none is configured; where one is, nothing else opens
 */
export function mayReadMetrics({ peer, header }: MetricsRequest, token: string | null): boolean {
  if (token !== null) {
    const [, sent = ""] = /^Bearer (\S+)$/i.exec(header("authorization") ?? "") ?? [];
    return timingSafeEqual(digest(sent), digest(token));
  }
  if (peer === undefined || !isLoopbackAddress(peer)) return false;
  if (forwarding.some((name) => header(name) !== undefined)) return false;
  return isLoopback(hostnameOf(header("host") ?? ""));
}

// Of equal length, whatever was sent.
function digest(text: string): Uint8Array {
  return hash("sha256", text, "buffer");
}

function isLoopbackAddress(address: string): boolean {
  const plain = address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
  return plain === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(plain);
}

function hostnameOf(host: string): string {
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : "";
}
