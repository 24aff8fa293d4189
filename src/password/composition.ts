import type { FieldError } from "../errors.ts";

/**
 * Rules about kinds of characters. All are off, and should stay off unless a contract demands them: they make people
 * choose `Password1!`.
 *
 * @see NIST SP 800-63B-4, section 3.1.1.2: verifiers SHALL NOT impose composition rules
 */
export interface CompositionRules {
  readonly requiresLowercase?: boolean;
  readonly requiresUppercase?: boolean;
  readonly requiresDigit?: boolean;
  /** Anything that is neither a letter nor a digit, the blank included. */
  readonly requiresSymbol?: boolean;
}

const kinds = [
  ["requiresLowercase", /\p{Ll}/u, "missing_lowercase", "Password must contain a lowercase letter"],
  ["requiresUppercase", /\p{Lu}/u, "missing_uppercase", "Password must contain an uppercase letter"],
  ["requiresDigit", /\p{Nd}/u, "missing_digit", "Password must contain a digit"],
  ["requiresSymbol", /[^\p{L}\p{M}\p{N}]/u, "missing_symbol", "Password must contain a symbol"],
] as const;

/** One error for each kind of character that is required and absent. */
export function compositionErrors(
  password: string,
  rules: CompositionRules,
  field: string,
): readonly FieldError[] {
  return kinds
    .filter(([rule, pattern]) => rules[rule] && !pattern.test(password))
    .map(([, , code, message]) => ({ field, code, message }));
}
