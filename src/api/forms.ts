import type { Config } from "../config.ts";
import type { FormTokens } from "../flows/form-tokens.ts";
import { cookieValue } from "../http/cookies.ts";
import type { Pipeline } from "../pipeline/check.ts";
import type { SessionChange } from "../ports/change.ts";
import type { Services } from "../ports/services.ts";
import { csrfBindingOf, type Visit } from "./visit.ts";

/** Form tokens for pages: `<input type="hidden" name="_token" value="…">`. */
export interface Forms {
  /**
   * A token for one form shown to the caller, valid for an hour and once. Where there is no session yet, `change` carries
   * the nonce of the cookie that the token is bound to: seal it into the page.
   *
   * @param form - name of the form, `a-z 0-9 -`
   */
  token(
    form: string,
    visit: Visit,
  ): Promise<{ readonly token: string; readonly change: SessionChange | null }>;
  /** Spends a token. @throws AuthError `form_token_stale` - of another form or browser, expired or spent */
  spend(form: string, token: string, visit: Visit): Promise<void>;
  /**
   * A mailed token that arrived by a link, to be sealed into a redirect to the same path without it: so it rests in no
   * history, log or Referer. Nothing is spent. Null for what cannot be a token.
   */
  mailed(token: string): SessionChange | null;
  /**
   * The mailed token that a browser carries from its link to this form; null where there is none. Another site can lead the browser to
   * a link of its own while the page is open: put a digest of the token into the form's name, so that the form works for no other link.
   */
  readMailed(visit: Visit): string | null;
}

/** The forms of a pipeline. */
export function bindForms(pipeline: Pipeline, tokens: FormTokens): Forms {
  const { config, random } = pipeline.services;
  return {
    async token(form, visit) {
      const known = await binding(visit);
      if (known !== null) return { token: tokens.issue(form, known), change: null };
      const nonce = newFormNonce({ random });
      return { token: tokens.issue(form, nonce), change: { form: nonce } };
    },
    async spend(form, token, visit) {
      await tokens.spend(form, token, (await binding(visit)) ?? "");
    },
    mailed: (token) => (/^[A-Za-z0-9._-]{1,128}$/.test(token) ? { mailed: token } : null),
    readMailed: ({ request }) =>
      cookieValue(request.headers.get("cookie"), `${config.cookie.name}-mailed`) || null,
  };

  async function binding(visit: Visit): Promise<string | null> {
    return (await csrfBindingOf(pipeline, visit)) ?? formNonce(config, visit);
  }
}

/** The nonce that a browser carries from before it had a session; null where it has none. */
export function formNonce({ cookie }: Pick<Config, "cookie">, { request }: Visit): string | null {
  const nonce = cookieValue(request.headers.get("cookie"), `${cookie.name}-form`);
  return nonce !== null && /^[A-Za-z0-9_-]{22}$/.test(nonce) ? nonce : null;
}

/** A nonce for a browser that has none yet. */
export function newFormNonce({ random }: Pick<Services, "random">): string {
  return Buffer.from(random.bytes(16)).toString("base64url");
}
