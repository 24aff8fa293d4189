/** Text that breaks what builds queries, keys or paths from strings. All of it is well-formed Unicode. */
export const hostileTexts: readonly string[] = [
  "",
  "'",
  "' OR '1'='1",
  '"; DROP TABLE users; --',
  "%",
  "_",
  "*",
  "..",
  "../../etc/passwd",
  "a\r\nb",
  "a b",
  "__proto__",
  "constructor",
  "null",
  "{tag}",
  "ключ-鍵-🔑",
  "x".repeat(10_000),
];

/** The same with a NUL in it, after which careless code stops reading. */
export function withNul(text: string): string {
  return `${text}\u0000tail`;
}
