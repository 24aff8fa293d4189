import { randomSecret, randomSessionId, randomSlotTag } from "../domain/random.ts";
import {
  formatSessionToken,
  isSessionToken,
  parseSessionToken,
  type SessionToken,
} from "../domain/session.ts";
import type { Random } from "../ports/clock.ts";
import type { SessionTokenFormat } from "../ports/session-token.ts";

/** Browsers keep cookies of 4,096 bytes with their name and attributes; servers take headers of 8 KiB with everything else. */
const longestText = 2_048;
const samples = 16;
/** What somebody may send in place of a token. */
const strangers: readonly string[] = [
  "",
  ".",
  "x",
  "null",
  "\0",
  "\ud800",
  "%00",
  "é".repeat(68),
  "a".repeat(4_096),
];

/** `id.secret`. */
export const plainFormat: SessionTokenFormat = Object.freeze({
  format: formatSessionToken,
  parse: parseSessionToken,
});

/**
 * A format of the application, tried before it is used; what it reads is checked at each use.
 *
 * @throws TypeError where tokens do not survive it, or no cookie could carry them
 */
export function checkedFormat(format: SessionTokenFormat, random: Random): SessionTokenFormat {
  const problem = problemOf(format, random);
  if (problem !== null) throw new TypeError(`sessionTokens: ${problem}`);
  return {
    format: (token) => format.format(token),
    parse: (text) => (text.length > longestText ? null : parsed(format, text)),
  };
}

function problemOf(format: SessionTokenFormat, random: Random): string | null {
  const bytes = (length: number): Uint8Array => random.bytes(length);
  const tokens: SessionToken[] = [
    { id: "A".repeat(24), secret: "-".repeat(43) },
    { id: "z".repeat(24), secret: "_".repeat(43) },
  ];
  while (tokens.length < samples)
    tokens.push({ id: randomSessionId(randomSlotTag(bytes), bytes), secret: randomSecret(bytes) });
  for (const token of tokens) {
    const text = format.format(token);
    if (typeof text !== "string" || !/^[A-Za-z0-9._~-]+$/.test(text))
      return "format writes what no cookie can carry; use A-Z a-z 0-9 . _ ~ -";
    if (text.length > longestText) return `format writes more than ${longestText} characters`;
    const again = format.parse(text);
    if (again?.id !== token.id || again.secret !== token.secret)
      return "parse does not give back what format was given";
  }
  return strangers.every((text) => isNull(format, text))
    ? null
    : "parse must answer null to what format never wrote";
}

function isNull(format: SessionTokenFormat, text: string): boolean {
  try {
    return format.parse(text) === null;
  } catch {
    return false;
  }
}

// A cookie that makes a format stumble is a malformed cookie, and never an error of the server.
function parsed(format: SessionTokenFormat, text: string): SessionToken | null {
  try {
    const token = format.parse(text);
    return token !== null && isSessionToken(token) ? token : null;
  } catch {
    return null;
  }
}
