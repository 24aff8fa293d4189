import { foldText } from "../domain/fold-text.ts";
import type { FieldError } from "../errors.ts";
import type { PasswordPolicy } from "../ports/hasher.ts";
import type { Log } from "../ports/services.ts";
import type { BreachedPasswords } from "./breached.ts";
import { type CompositionRules, compositionErrors } from "./composition.ts";
import { normalizePassword, unusablePassword } from "./password-text.ts";
import type { Threads } from "./threads.ts";

/** Settings of {@link passwordPolicy}. */
export interface PolicyOptions {
  /** Where the list of common passwords is asked. */
  readonly threads: Threads;
  /**
   * Fewest code points, counted after NFC, 1 to 256; default 8. Where the password is the only factor, 15 is what NIST
   * asks for.
   *
   * @see NIST SP 800-63B-4, section 3.1.1.1
   */
  readonly minLength?: number;
  /** Whether common passwords are refused; default true. */
  readonly refusesCommon?: boolean;
  /** More words that must not be the password, such as the product's name; default none. */
  readonly words?: readonly string[];
  /** Default none. */
  readonly composition?: CompositionRules;
  /** Passwords that were published are refused; asked last, about what may be chosen otherwise. Default none: nobody is asked. */
  readonly breached?: BreachedPasswords;
  /** Told where the breached ones could not be asked. Default: nobody. */
  readonly log?: Pick<Log, "warn">;
}

/**
 * Length, common passwords and words about the person or the service. The whole password is compared, case folded and
 * under NFKC; a part that is a common word refuses nothing.
 *
 * Codes: `required`, `too_long` (over 1,024 bytes), `invalid_characters` (NUL, lone surrogates), `too_short`,
 * `context_word`, `too_common`, `breached`, and those of {@link CompositionRules}.
 *
 * @throws TypeError for a `minLength` out of range
 * @see NIST SP 800-63B-4, section 3.1.1.2
 */
export function passwordPolicy(options: PolicyOptions): PasswordPolicy {
  const { threads, minLength = 8, refusesCommon = true, words = [], composition = {} } = options;
  const { breached, log = { warn() {} } } = options;
  if (!Number.isInteger(minLength) || minLength < 1 || minLength > 256) {
    throw new TypeError(`minLength must be a whole number from 1 to 256, not ${minLength}`);
  }

  function formError(password: string, field: string): FieldError | null {
    if (password === "") return { field, code: "required", message: "Password is required" };
    const unusable = unusablePassword(password, field);
    if (unusable) return unusable;
    if (countCodePoints(normalizePassword(password)) >= minLength) return null;
    return { field, code: "too_short", message: `Password must be at least ${minLength} characters` };
  }

  async function wordError(
    folded: string,
    forbidden: readonly string[],
    field: string,
  ): Promise<FieldError | null> {
    if (forbidden.some((word) => foldText(word) === folded)) {
      return {
        field,
        code: "context_word",
        message: "Password must not be a name or address of yours or of this site",
      };
    }
    if (!refusesCommon || !(await isCommon(threads, folded))) return null;
    return { field, code: "too_common", message: "Password is too common" };
  }

  return {
    async check(password, { words: given, field = "password" }) {
      const form = formError(password, field);
      if (form) return [form];
      const word = await wordError(foldText(password), [...words, ...given], field);
      const composed = compositionErrors(normalizePassword(password), composition, field);
      const own = [...composed, ...(word ? [word] : [])];
      if (own.length > 0 || (await breached?.has(password, log)) !== true) return own;
      return [{ field, code: "breached", message: "Password is known from a data breach; choose another" }];
    },
  };
}

async function isCommon(threads: Threads, folded: string): Promise<boolean> {
  const { value } = await threads.run({ module: listUrl(), options: null, call: "has", args: [folded] });
  return value === true;
}

/** The file beside this one: `.ts` unbuilt, `.js` built. */
function listUrl(): string {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return new URL(`./common-passwords.${extension}`, import.meta.url).href;
}

function countCodePoints(text: string): number {
  return [...text].length;
}
