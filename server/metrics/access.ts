import { hash, timingSafeEqual } from "node:crypto";
import { isFromThisMachine } from "../this-machine.ts";

/** What is looked at of a request for the metrics. */
export interface MetricsRequest {
  /** Address of the peer, as the socket has it. */
  readonly peer: string | undefined;
  header(name: string): string | undefined;
}

/**
 * Whether somebody may read the metrics: who has the token; without one, programs of this machine. Not who comes through a proxy on
 * this machine, and not a page in a browser of this machine that reached the server under another name.
 *
 * @param token - null where none is configured; where one is, nothing else opens
 */
export function mayReadMetrics({ peer, header }: MetricsRequest, token: string | null): boolean {
  if (token === null) return isFromThisMachine({ peer, host: header("host") ?? "", header });
  const [, sent = ""] = /^Bearer (\S+)$/i.exec(header("authorization") ?? "") ?? [];
  return timingSafeEqual(digest(sent), digest(token));
}

// Of equal length, whatever was sent.
function digest(text: string): Uint8Array {
  return hash("sha256", text, "buffer");
}
