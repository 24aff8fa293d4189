import { isDeepStrictEqual } from "node:util";

/** Whether a text is what a page prints of it: `…` stands for anything, and blanks at the ends of lines for nothing. */
export function isLike(actual: string, printed: string): boolean {
  const pattern = trimmed(printed)
    .split("…")
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"))
    .join("[^]*?");
  return new RegExp(`^${pattern}$`).test(trimmed(actual));
}

/** Whether a JSON value is what a page prints of it: the same names, and `…` in a text stands for anything. */
export function isLikeJson(actual: unknown, printed: unknown): boolean {
  if (typeof printed === "string" && printed.includes("…"))
    return isLike(typeof actual === "string" ? actual : JSON.stringify(actual), printed);
  if (Array.isArray(printed) && Array.isArray(actual))
    return printed.length === actual.length && printed.every((item, at) => isLikeJson(actual[at], item));
  if (isRecord(printed) && isRecord(actual)) {
    const names = Object.keys(printed);
    const hasSame = isDeepStrictEqual(new Set(names), new Set(Object.keys(actual)));
    return hasSame && names.every((name) => isLikeJson(actual[name], printed[name]));
  }
  return isDeepStrictEqual(actual, printed);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function trimmed(text: string): string {
  return text.replaceAll(/[ \t]+$/gm, "").trim();
}
