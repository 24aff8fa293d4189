import type { User } from "../domain/user.ts";
import { AuthError } from "../errors.ts";
import type { ProfileChanged } from "../flows/account/profile.ts";
import type { Registered } from "../flows/account/register.ts";
import {
  completeRegistration,
  isSameBrowser,
  openRegistration,
} from "../flows/account/registration-attempts.ts";
import {
  type RequestedCode,
  requestEmailCode,
  requestMagicLink,
  requestReset,
  requestVerification,
} from "../flows/account/request-mail.ts";
import { openTakingBack, type TakingBack, takeBack } from "../flows/account/take-back.ts";
import { openVerification, type Verification, verifyEmail } from "../flows/account/verify-email.ts";
import { openMailedToken } from "../flows/mail/mailed-tokens.ts";
import type { MailSender } from "../flows/sending/sender.ts";
import { endSessionByLink, openEndSession } from "../flows/sessions/end-session.ts";
import { redeemEmailCode } from "../flows/sign-in/email-codes.ts";
import { redeemMagicLink } from "../flows/sign-in/mail-sign-in.ts";
import type { SignIn } from "../flows/sign-in/start-session.ts";
import type { Services } from "../ports/services.ts";
import type { Visits } from "../ports/visit.ts";
import { formNonce } from "./forms.ts";
import { assertCarrier, type Visit } from "./visit.ts";

/** What a link to the page `/verify` is about. */
export type OpenedVerification =
  | (Verification & { readonly kind: "address" })
  | {
      readonly kind: "registration";
      readonly email: string;
      /** Whether this is another browser than the one that registered. */
      readonly asksPassword: boolean;
    };

/** What came of a link to the page `/verify`. */
export type Verified =
  | (ProfileChanged & { readonly kind: "address" })
  | (Registered & { readonly kind: "registration" });

/** Mail: what an application, a route and a page ask for by it, and do with what was mailed. What opens a link spends nothing. */
export interface Mail {
  /** Asks for a link to choose a password by. Says nothing of whether there is such an account. @throws AuthError `invalid_input`, `rate_limited` */
  requestReset(email: string, visit: Visit): Promise<void>;
  /** Asks for a link to sign in by, likewise. */
  requestMagicLink(email: string, visit: Visit): Promise<void>;
  /** Asks for a code to sign in by, likewise. */
  requestEmailCode(email: string, visit: Visit): Promise<RequestedCode>;
  /** Asks for a link by which the caller confirms their address. @throws AuthError `not_authenticated`, `rate_limited` */
  requestVerification(visit: Visit): Promise<void>;

  /** Whose sign-in link it is. @throws AuthError `token_invalid` */
  openMagicLink(token: string): Promise<User>;
  /** See the flow `redeemMagicLink`. */
  redeemMagicLink(
    token: string,
    visit: Visit,
    options?: { readonly isRemembered?: boolean },
  ): Promise<SignIn>;
  /** See the flow `redeemEmailCode`. */
  redeemEmailCode(
    input: { readonly id: string; readonly code: string },
    visit: Visit,
    options?: { readonly isRemembered?: boolean },
  ): Promise<SignIn>;
  /** What a link to `/verify` is about. @throws AuthError `token_invalid`, `registration_closed` */
  openVerification(token: string, visit: Visit): Promise<OpenedVerification>;
  /**
   * Confirms an address for who is signed in, or completes a registration; see the flows `verifyEmail` and `completeRegistration`.
   *
   * @throws AuthError `token_invalid`, `registration_closed`, `not_authenticated`, `forbidden`, `fresh_auth_required`, …
   */
  verify(
    input: {
      readonly token: string;
      readonly password?: string | undefined;
      readonly username?: string | undefined;
    },
    visit: Visit,
  ): Promise<Verified>;
  /** Which account a link about a changed address gives back. @throws AuthError `token_invalid` */
  openTakingBack(token: string): Promise<TakingBack>;
  /** See the flow `takeBack`. */
  takeBack(input: { readonly token: string; readonly password: string }, visit: Visit): Promise<User>;
  /** Whose session a link ends. @throws AuthError `token_invalid` */
  openEndSession(token: string): Promise<User>;
  /** See the flow `endSessionByLink`. */
  endSession(token: string, visit: Visit): Promise<number>;

  /** Sends what is due now; resolves when nothing is left. For programs that end afterwards, and tests. */
  flush(): Promise<void>;
}

/** Binds the flows about mail to requests. */
export function bindMail(services: Services, sender: Pick<MailSender, "flush">, visits: Visits): Mail {
  const { config, passwords } = services;
  const asking = async (visit: Visit) => {
    const { from, limitIp } = await visits.arriving(visit);
    return { from, limitIp };
  };
  const signingIn = async (visit: Visit, isRemembered = false) => {
    const { client, from, devices, current: replaces } = await visits.arriving(visit);
    return { client, from, devices, replaces, isRemembered };
  };
  // What is redeemed by the token alone: another site could post a token of its own, but not into this browser's session.
  const redeeming = async (visit: Visit) => (await visits.arriving(visit)).from;
  return {
    async requestReset(email, visit) {
      await requestReset(services, { email, ...(await asking(visit)) });
    },
    async requestMagicLink(email, visit) {
      await requestMagicLink(services, { email, ...(await asking(visit)) });
    },
    async requestEmailCode(email, visit) {
      return requestEmailCode(services, { email, ...(await asking(visit)) });
    },
    async requestVerification(visit) {
      const { principal, from, limitIp } = await visits.present(visit);
      await requestVerification(services, principal.user, { from, limitIp });
    },
    openMagicLink: async (token) => (await openMailedToken(services, "magic_link", token)).user,
    redeemMagicLink: async (token, visit, { isRemembered } = {}) =>
      redeemMagicLink(services, token, await signingIn(visit, isRemembered)),
    redeemEmailCode: async (input, visit, { isRemembered } = {}) =>
      redeemEmailCode(services, input, await signingIn(visit, isRemembered)),
    async openVerification(token, visit) {
      const registration = await openedRegistration(token);
      if (registration === null) return { kind: "address", ...(await openVerification(services, token)) };
      const asksPassword = !isSameBrowser(registration.attempt, formNonce(config, visit));
      return { kind: "registration", email: registration.attempt.email, asksPassword };
    },
    async verify(input, visit) {
      if ((await openedRegistration(input.token)) === null) {
        // Whoever has a link that opens nothing would sign in for nothing.
        await openVerification(services, input.token);
        const { principal, current, from } = await visits.inSession(visit);
        assertCarrier(principal);
        const context = { user: principal.user, current, from };
        return { kind: "address", ...(await verifyEmail(services, input.token, context)) };
      }
      const { client, from, limitIp, current: replaces } = await visits.arriving(visit);
      const nonce = formNonce(config, visit);
      const startsSession = config.signInAfterRegistration;
      const context = { client, from, limitIp, nonce, replaces, startsSession };
      return { kind: "registration", ...(await completeRegistration(passwords(), input, context)) };
    },
    openTakingBack: (token) => openTakingBack(services, token),
    takeBack: async (input, visit) => takeBack(passwords(), input, await redeeming(visit)),
    openEndSession: (token) => openEndSession(services, token),
    endSession: async (token, visit) => endSessionByLink(services, token, await redeeming(visit)),
    flush: () => sender.flush(),
  };

  async function openedRegistration(token: string) {
    try {
      return await openRegistration(services, token);
    } catch (thrown) {
      if (thrown instanceof AuthError && thrown.code === "token_invalid") return null;
      throw thrown;
    }
  }
}
