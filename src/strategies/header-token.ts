import type { AuthRequest } from "../ports/request.ts";

const notForTokens = ["cookie", "host", "origin", "proxy-authorization", "referer"];

/** Where a token stands in a request. */
export interface TokenPlace {
  /** Default `Authorization`. */
  readonly header?: string;
  /** The word before the token, one space after it; empty: the header holds the token alone. Default `Bearer`. */
  readonly prefix?: string;
}

/** Reads the token of a request; null where the header is absent or begins with another word. */
export type HeaderToken = (request: AuthRequest) => string | null;

/**
 * Makes the reader of a header. Case does not count in header and prefix.
 *
 * @throws TypeError where either cannot stand in a header
 * @see RFC 9110, section 11.1
 */
export function headerToken({ header = "Authorization", prefix = "Bearer" }: TokenPlace): HeaderToken {
  if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(header))
    throw new TypeError(`header: ${JSON.stringify(header)} is no name`);
  if (notForTokens.includes(header.toLowerCase()))
    throw new TypeError(`header: ${header} is no place for a token; browsers write it by themselves`);
  if (!/^[!#$%&'*+.^_`|~\w-]*$/.test(prefix))
    throw new TypeError(`prefix: ${JSON.stringify(prefix)} is no word`);
  const name = header.toLowerCase();
  const start = prefix === "" ? "" : `${prefix} `;
  const lower = start.toLowerCase();
  return ({ headers }) => {
    const value = headers.get(name);
    if (!value) return null;
    const begins = value.startsWith(start) || value.slice(0, lower.length).toLowerCase() === lower;
    return begins ? value.slice(start.length) : null;
  };
}
