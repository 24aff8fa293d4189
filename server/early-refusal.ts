import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";
import type { HeaderLine } from "./security-headers.ts";

/** What is answered where no route was reached: a problem document, and the end of the connection. */
export interface EarlyRefusal {
  readonly status: number;
  readonly headers: readonly HeaderLine[];
  readonly body: string;
}

/** What an {@link EarlyRefusal} is made of. */
export interface EarlyRefusalOptions {
  readonly status: number;
  /** Public. */
  readonly detail: string;
  readonly origin: string;
  /** Those of every answer. */
  readonly headers: readonly HeaderLine[];
}

/** Makes an {@link EarlyRefusal}. @see RFC 9457 */
export function earlyRefusal({ status, detail, origin, headers }: EarlyRefusalOptions): EarlyRefusal {
  const code = status === 500 ? "internal_error" : "malformed_request";
  const requestId = randomUUID();
  const problem = {
    type: `${origin}/problems/${code}`,
    title: code.replaceAll("_", " "),
    status,
    code,
    detail,
    request_id: requestId,
  };
  return {
    status,
    headers: [
      ...headers,
      ["Content-Type", "application/problem+json"],
      ["Cache-Control", "no-store"],
      ["X-Request-Id", requestId],
      ["Connection", "close"],
    ],
    body: JSON.stringify(problem),
  };
}

/** The refusal as bytes for a socket, where no response object exists. @see RFC 9112, section 4 */
export function onTheWire({ status, headers, body }: EarlyRefusal): string {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`];
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}
