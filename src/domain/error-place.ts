/**
 * Name, code and place of an error, without its message: what was hashing may quote the password in it.
 */
export function errorPlace(error: unknown): string {
  if (!(error instanceof Error)) return "something that is no Error was thrown";
  const code = "code" in error ? ` (${String(error.code)})` : "";
  return [error.constructor.name + code, ...frames(error)].join("\n");
}

/** Where an error was thrown, the innermost call first: lines of its stack, such as `at orders (file:///app/orders.ts:7:21)`. */
export function errorFrames(error: Error): readonly string[] {
  return frames(error).map((line) => line.trim());
}

function frames({ stack, message }: Error): readonly string[] {
  // Both can be overwritten by whoever threw it.
  if (typeof stack !== "string") return [];
  // The stack begins with the message, which may itself hold lines that look like frames.
  const rest = stack.replace(String(message), () => "");
  return rest.split("\n").filter((line) => /^\s+at /.test(line));
}
