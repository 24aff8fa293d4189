/**
 * Name, code and place of an error, without its message: what was hashing may quote the password in it.
 */
export function errorPlace(error: unknown): string {
  if (!(error instanceof Error)) return "something that is no Error was thrown";
  const code = "code" in error ? ` (${String(error.code)})` : "";
  // The stack begins with the message, which may itself hold lines that look like frames.
  const stack = (error.stack ?? "").replace(error.message, () => "");
  const frames = stack.split("\n").filter((line) => /^\s+at /.test(line));
  return [error.constructor.name + code, ...frames].join("\n");
}
