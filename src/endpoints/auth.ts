import * as z from "zod/mini";
import { acceptedLocale } from "../mail/locales.ts";
import type { Reply, Route } from "../ports/route.ts";
import {
  chosenPassword,
  displayName,
  email,
  flag,
  identifierInput,
  mailedToken,
  oneIdentifier,
  password,
  username,
} from "./inputs.ts";
import { row } from "./row.ts";
import type { EndpointServices } from "./services.ts";
import { signInReply } from "./sign-in-reply.ts";
import { signInShape, userShape } from "./wire.ts";

const registerInput = z.object({
  email,
  username: z.optional(username),
  password: chosenPassword("Password is required"),
  name: z.optional(displayName),
  remember: flag,
});

const loginInput = z.object({
  username: z.optional(identifierInput),
  email: z.optional(identifierInput),
  password: password("Password is required"),
  remember: flag,
});

/** Registration and sign-in. */
export function signInRoutes({ users, guards, freshTokens, showUser }: EndpointServices): readonly Route[] {
  return [
    row({
      method: "POST",
      path: "/auth/register",
      refuses: [
        "password_rejected",
        "registration_closed",
        "forbidden",
        "email_taken",
        "username_taken",
        "overloaded",
      ],
      summary:
        "Create an account, and sign in; where a mailed link completes it: 202, whoever has the address",
      guards: [guards.anyone],
      limit: { name: "register", limit: 100, windowSeconds: 3_600 },
      startsSession: true,
      input: registerInput,
      answers: { 201: z.union([signInShape, z.object({ user: userShape })]), 202: z.object({}) },
      async handle({ input, request, client }) {
        const { remember, ...registration } = input;
        const locale = acceptedLocale(request.headers.get("accept-language"));
        const registered = await users.register(
          { ...registration, locale, isRemembered: remember },
          { request, client },
        );
        const { user, signIn } = registered;
        if (user === null) return { status: 202, body: {}, change: registered.change };
        return signIn === null
          ? { status: 201, body: { user: await showUser(user) } }
          : signInReply(signIn, 201, showUser);
      },
    }),
    row({
      method: "POST",
      path: "/auth/login",
      refuses: ["invalid_credentials", "rate_limited", "overloaded"],
      summary: "Sign in with an e-mail address or username, and a password",
      guards: [guards.anyone],
      startsSession: true,
      input: loginInput,
      answers: { 200: signInShape },
      async handle({ input, request, client }) {
        const typed = oneIdentifier(input.username, input.email);
        const login = { identifier: typed, password: input.password, isRemembered: input.remember };
        return signInReply(await users.login(login, { request, client }), 200, showUser);
      },
    }),
    row({
      method: "POST",
      path: "/auth/password/reset",
      refuses: ["token_invalid", "password_rejected", "overloaded"],
      summary: "Choose a password by a mailed link; every session ends, and nobody is signed in",
      guards: [guards.anyone],
      limit: { name: "redeem", limit: 300, windowSeconds: 3_600 },
      startsSession: true,
      input: z.object({
        token: mailedToken,
        new_password: password("New password is required"),
      }),
      answers: { 204: null },
      async handle({ input: { token, new_password: password }, request, client }) {
        await users.resetPassword({ token, password }, { request, client });
        return { status: 204 };
      },
    }),
    row({
      method: "POST",
      path: "/auth/reauthenticate",
      refuses: ["invalid_credentials", "rate_limited", "overloaded"],
      summary: "Prove again who is there",
      guards: [guards.signedInAnyhow],
      input: z.object({ password: password("Password is required") }),
      answers: { 200: signInShape },
      async handle(call) {
        const signIn = await users.reauthenticate(call.input.password, call);
        return withFields(await signInReply(signIn, 200, showUser), await freshTokens(signIn, call));
      },
    }),
    row({
      method: "PUT",
      path: "/users/me/password",
      refuses: ["invalid_credentials", "password_rejected", "rate_limited", "overloaded"],
      summary: "Change the password; every other session ends",
      guards: [guards.signedInAnyhow],
      input: z.object({
        current_password: password("Current password is required"),
        new_password: password("New password is required"),
      }),
      answers: { 200: signInShape },
      async handle(call) {
        const { current_password: current, new_password: next } = call.input;
        const signIn = await users.changePassword({ current, next }, call);
        return withFields(await signInReply(signIn, 200, showUser), await freshTokens(signIn, call));
      },
    }),
  ];
}

function withFields(reply: Reply & { readonly body: object }, fields: object): Reply {
  return { ...reply, body: { ...reply.body, ...fields } };
}
