import {
  type FormToken,
  formatFormToken,
  formTokenText,
  formTokenTtlSeconds,
  parseFormToken,
} from "../domain/form-token.ts";
import { AuthError } from "../errors.ts";
import type { Services } from "../ports/services.ts";

/** Tokens for HTML forms: bound to one browser and one form, valid for an hour, and once. */
export interface FormTokens {
  /**
   * A token for the field `_token`. Nothing is written.
   *
   * @param form - name of the form, `a-z 0-9 -`, at most 40 characters
   * @param binding - the session's id, or the nonce of the cookie that precedes a session
   */
  issue(form: string, binding: string): string;
  /** Whether a token is of this browser and unexpired, whatever form it is for. Spends nothing. */
  isValid(token: string, binding: string): boolean;
  /**
   * Spends a token: of any number of concurrent submissions one gets through.
   *
   * @throws AuthError `form_token_stale` - unknown, expired, spent, or of another form or browser
   */
  spend(form: string, token: string, binding: string): Promise<void>;
}

/** Form tokens under the configured secrets. */
export function formTokens(
  services: Pick<Services, "keys" | "clock" | "random" | "stores" | "call">,
): FormTokens {
  const { keys, clock, random, stores, call } = services;

  function verified(token: string, binding: string): FormToken | null {
    const parsed = parseFormToken(token);
    if (parsed === null || !keys.verify("form-token", formTokenText(parsed, binding), parsed.mac))
      return null;
    return parsed.expiresAt > clock.now() ? parsed : null;
  }

  return {
    issue(form, binding) {
      if (!/^[a-z0-9-]{1,40}$/.test(form))
        throw new TypeError(`form token: ${form} is no form name (a-z 0-9 -)`);
      const token = {
        form,
        nonce: Buffer.from(random.bytes(16)).toString("base64url"),
        expiresAt: new Date(clock.now().getTime() + formTokenTtlSeconds * 1000),
      };
      return formatFormToken({ ...token, mac: keys.sign("form-token", formTokenText(token, binding)) });
    },
    isValid: (token, binding) => verified(token, binding) !== null,
    async spend(form, token, binding) {
      const parsed = verified(token, binding);
      if (parsed === null || parsed.form !== form) throw new AuthError("form_token_stale");
      const isFirst = await stores.ephemeral.add(`spent:${parsed.nonce}`, formTokenTtlSeconds, call());
      if (!isFirst) throw new AuthError("form_token_stale");
    },
  };
}
