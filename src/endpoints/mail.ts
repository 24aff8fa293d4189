import * as z from "zod/mini";
import type { Mail } from "../api/mail.ts";
import type { Reply, Route } from "../ports/route.ts";
import { email, flag, mailedToken, password, username } from "./inputs.ts";
import { row } from "./row.ts";
import type { EndpointServices } from "./services.ts";
import { signInReply } from "./sign-in-reply.ts";
import { signInShape, userShape } from "./wire.ts";

const nothing = z.object({});
/** Redemptions by one address: tokens cannot be guessed, and each try costs a read. */
const redeeming = { name: "redeem", limit: 300, windowSeconds: 3_600 };

/** Links and codes by mail: asking for them, and what comes back. Asking answers the same for every address. */
export function mailRoutes(mail: Mail, endpoints: EndpointServices): readonly Route[] {
  return [
    ...requestRoutes(mail, endpoints),
    ...signInRoutes(mail, endpoints),
    ...linkRoutes(mail, endpoints),
  ];
}

function requestRoutes(mail: Mail, { guards }: EndpointServices): readonly Route[] {
  const asking = {
    method: "POST",
    guards: [guards.anyone],
    startsSession: true,
    input: z.object({ email }),
  } as const;
  return [
    row({
      ...asking,
      path: "/auth/password/forgot",
      summary: "Ask for a link to choose a password by",
      answers: { 202: nothing },
      async handle({ input, request, client }) {
        await mail.requestReset(input.email, { request, client });
        return { status: 202, body: {} };
      },
    }),
    row({
      ...asking,
      path: "/auth/magic-link",
      summary: "Ask for a link to sign in by",
      answers: { 202: nothing },
      async handle({ input, request, client }) {
        await mail.requestMagicLink(input.email, { request, client });
        return { status: 202, body: {} };
      },
    }),
    row({
      ...asking,
      path: "/auth/email-code",
      summary: "Ask for a code to sign in by; its id goes along with it",
      answers: { 202: z.object({ id: z.string(), expires_in: z.int() }) },
      async handle({ input, request, client }) {
        const { id, expiresInSeconds } = await mail.requestEmailCode(input.email, { request, client });
        return { status: 202, body: { id, expires_in: expiresInSeconds } };
      },
    }),
    row({
      method: "POST",
      path: "/auth/email/verify/request",
      summary: "Ask for a link by which the caller confirms their address",
      guards: [guards.signedIn],
      answers: { 202: nothing },
      async handle({ request, client }) {
        await mail.requestVerification({ request, client });
        return { status: 202, body: {} };
      },
    }),
  ];
}

function signInRoutes(mail: Mail, { guards, showUser }: EndpointServices): readonly Route[] {
  return [
    row({
      method: "POST",
      path: "/auth/magic-link/redeem",
      refuses: ["token_invalid"],
      summary: "Sign in by a mailed link",
      guards: [guards.anyone],
      limit: redeeming,
      startsSession: true,
      input: z.object({ token: mailedToken, remember: flag }),
      answers: { 200: signInShape },
      async handle({ input, request, client }) {
        const options = { isRemembered: input.remember };
        return signInReply(
          await mail.redeemMagicLink(input.token, { request, client }, options),
          200,
          showUser,
        );
      },
    }),
    row({
      method: "POST",
      path: "/auth/email-code/redeem",
      summary: "Sign in by a mailed code",
      guards: [guards.anyone],
      limit: redeeming,
      startsSession: true,
      input: z.object({
        id: z.string("Id is required").check(z.maxLength(64, "At most 64 characters")),
        code: z.string("Code is required").check(z.maxLength(32, "At most 32 characters")),
        remember: flag,
      }),
      answers: { 200: signInShape },
      async handle({ input: { id, code, remember }, request, client }) {
        const options = { isRemembered: remember };
        return signInReply(
          await mail.redeemEmailCode({ id, code }, { request, client }, options),
          200,
          showUser,
        );
      },
    }),
  ];
}

function linkRoutes(mail: Mail, { guards, freshTokens, showUser }: EndpointServices): readonly Route[] {
  const redeem = { method: "POST", guards: [guards.anyone], limit: redeeming } as const;
  return [
    row({
      ...redeem,
      path: "/auth/email/verify",
      refuses: ["token_invalid", "registration_closed"],
      summary: "Confirm an address, or complete a registration, by a mailed link",
      input: z.object({
        token: mailedToken,
        password: z.optional(password("Password is required")),
        username: z.optional(username),
      }),
      answers: {
        200: z.object({ user: userShape }),
        201: z.union([signInShape, z.object({ user: userShape })]),
      },
      async handle(call): Promise<Reply> {
        const verified = await mail.verify(call.input, call);
        const { user } = verified;
        if (verified.kind === "registration") {
          return verified.signIn === null
            ? { status: 201, body: { user: await showUser(user) } }
            : signInReply(verified.signIn, 201, showUser);
        }
        const { session, change } = verified;
        const tokens = session === null ? {} : await freshTokens({ user, session }, call);
        const body = { user: await showUser(user), ...tokens };
        return { status: 200, body, ...(change !== null && { change }) };
      },
    }),
    row({
      ...redeem,
      path: "/auth/email/undo",
      summary: "Undo a change of address by the link that the former one got, and choose a password",
      startsSession: true,
      input: z.object({ token: mailedToken, new_password: password("New password is required") }),
      answers: { 204: null },
      async handle({ input, request, client }) {
        await mail.takeBack({ token: input.token, password: input.new_password }, { request, client });
        return { status: 204 };
      },
    }),
    row({
      ...redeem,
      path: "/auth/end-session",
      summary: "End the session that a mail told of",
      startsSession: true,
      input: z.object({ token: mailedToken }),
      answers: { 200: z.object({ ended: z.int() }) },
      async handle({ input, request, client }) {
        return { status: 200, body: { ended: await mail.endSession(input.token, { request, client }) } };
      },
    }),
  ];
}
