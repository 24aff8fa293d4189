import { AuthError } from "latchkey";

/** An error for a person at a terminal: what is wrong, without a stack and without what was typed. */
export function errorText(error: unknown): string {
  if (!(error instanceof AuthError)) return error instanceof Error ? error.message : String(error);
  const { fields, message, code, cause } = error;
  if (fields.length > 0) return fields.map(({ field, message: text }) => `${field}: ${text}`).join("\n");
  // The operator owns what it comes from, so they may read what it says.
  if (code === "store_unavailable" && cause instanceof Error)
    return `What keeps accounts and sessions does not answer: ${cause.message || cause.name}`;
  return message;
}
