import type { FieldError } from "../errors.ts";
import { mostTierLimits, type TierLimit } from "./tier.ts";

const mostRequests = 1_000_000_000;
/** 30 days. */
const longestSeconds = 2_592_000;

/** What is wrong with limits, as errors of the field `limits`; one at most. */
export function limitProblems(limits: readonly TierLimit[]): readonly FieldError[] {
  const problem = (code: string, message: string): readonly FieldError[] => [
    { field: "limits", code, message },
  ];
  if (limits.length > mostTierLimits) return problem("too_many", `At most ${mostTierLimits}`);
  for (const [at, { path, limit, windowSeconds }] of limits.entries()) {
    if (!isLimitPath(path)) return problem("invalid", "A path is /reports, /reports/* or *");
    if (!isWithin(limit, mostRequests))
      return problem("out_of_range", `A limit is a whole number from 1 to ${mostRequests}`);
    if (!isWithin(windowSeconds, longestSeconds))
      return problem("out_of_range", `A window is a whole number of seconds from 1 to ${longestSeconds}`);
    if (isDouble(limits.slice(0, at), path)) return problem("duplicate", `There are two limits for ${path}`);
  }
  return [];
}

// By the spelling that a request is compared with: of two for one path one would never count.
function isDouble(before: readonly TierLimit[], path: string): boolean {
  return before.some((other) => plainPattern(other.path) === plainPattern(path));
}

function plainPattern(pattern: string): string {
  if (!pattern.endsWith("*")) return plainPath(pattern);
  return pattern.length < 3 ? pattern : `${plainPath(pattern.slice(0, -2))}/*`;
}

function isWithin(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= most;
}

/** Whether a text says which paths a limit covers: at most 200 characters, and a `*` only as the last segment. */
export function isLimitPath(text: string): boolean {
  return (
    text === "*" ||
    (text.length <= 200 && /^(?:\/[^/*?#\s\p{Cc}\p{Cs}]+)*(?:\/\*|\/)?$/u.test(text) && text !== "")
  );
}

/**
 * The limit that counts for a path: one for exactly this path, else the longest that covers it; null where none does.
 *
 * Spellings that routers take for the same path are the same here: escapes, capital letters, doubled slashes, backslashes, and a slash or
 * white space at the end make no way around a limit.
 */
export function limitFor(limits: readonly TierLimit[], pathname: string): TierLimit | null {
  const path = plainPath(pathname);
  let best: TierLimit | null = null;
  let bestLength = -1;
  for (const limit of limits) {
    const length = coveredLength(limit.path, path);
    if (length <= bestLength) continue;
    best = limit;
    bestLength = length;
  }
  return best;
}

// How much of the path a pattern names; -1 where it does not cover it.
function coveredLength(pattern: string, path: string): number {
  if (pattern === "*") return 0;
  if (!pattern.endsWith("/*")) return plainPath(pattern) === path ? path.length + 1 : -1;
  const above = pattern === "/*" ? "/" : `${plainPath(pattern.slice(0, -2))}/`;
  return path.startsWith(above) && path !== above ? above.length : -1;
}

function plainPath(pathname: string): string {
  const plain = decoded(pathname)
    .trim()
    .toLowerCase()
    .replaceAll(/[\\/]+/g, "/");
  return plain.length > 1 && plain.endsWith("/") ? plain.slice(0, -1) : plain;
}

// Run by run, as routers do: one escape that is broken leaves none of the others as they stand.
function decoded(pathname: string): string {
  return pathname.replaceAll(/(?:%[\da-f]{2})+/gi, (run) =>
    Buffer.from(run.replaceAll("%", ""), "hex").toString(),
  );
}
