import * as z from "zod/mini";
import type { SignIn } from "../flows/start-session.ts";
import type { Reply, Route } from "../ports/route.ts";
import {
  chosenPassword,
  displayName,
  email,
  flag,
  identifierInput,
  oneIdentifier,
  password,
  username,
} from "./inputs.ts";
import { row } from "./row.ts";
import type { EndpointServices } from "./services.ts";
import { signInShape, userShape, wireUser } from "./wire.ts";

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
export function signInRoutes({ users, guards, freshTokens }: EndpointServices): readonly Route[] {
  return [
    row({
      method: "POST",
      path: "/auth/register",
      summary: "Create an account, and sign in",
      guards: [guards.anyone],
      limit: { name: "register", limit: 100, windowSeconds: 3_600 },
      startsSession: true,
      input: registerInput,
      answers: { 201: z.union([signInShape, z.object({ user: userShape })]) },
      async handle({ input, request, client }) {
        const { remember, ...registration } = input;
        const { user, signIn } = await users.register(
          { ...registration, isRemembered: remember },
          { request, client },
        );
        return signIn === null ? { status: 201, body: { user: wireUser(user) } } : signedIn(signIn, 201);
      },
    }),
    row({
      method: "POST",
      path: "/auth/login",
      summary: "Sign in with an e-mail address or username, and a password",
      guards: [guards.anyone],
      startsSession: true,
      input: loginInput,
      answers: { 200: signInShape },
      async handle({ input, request, client }) {
        const typed = oneIdentifier(input.username, input.email);
        const login = { identifier: typed, password: input.password, isRemembered: input.remember };
        return signedIn(await users.login(login, { request, client }), 200);
      },
    }),
    row({
      method: "POST",
      path: "/auth/reauthenticate",
      summary: "Prove again who is there",
      guards: [guards.signedIn],
      input: z.object({ password: password("Password is required") }),
      answers: { 200: signInShape },
      async handle(call) {
        const signIn = await users.reauthenticate(call.input.password, call);
        return withFields(signedIn(signIn, 200), await freshTokens(signIn, call));
      },
    }),
    row({
      method: "PUT",
      path: "/users/me/password",
      summary: "Change the password; every other session ends",
      guards: [guards.signedIn],
      input: z.object({
        current_password: password("Current password is required"),
        new_password: password("New password is required"),
      }),
      answers: { 200: signInShape },
      async handle(call) {
        const { current_password: current, new_password: next } = call.input;
        const signIn = await users.changePassword({ current, next }, call);
        return withFields(signedIn(signIn, 200), await freshTokens(signIn, call));
      },
    }),
  ];
}

function signedIn({ user, session, change }: SignIn, status: number): Reply & { readonly body: object } {
  const started = change.session;
  // A session that tokens carry has no CSRF token: nothing sends them by itself.
  const csrfToken = typeof started === "object" ? started.csrfToken : null;
  const body = { csrf_token: csrfToken, user: wireUser(user), expires_at: session.expiresAt.toISOString() };
  return { status, body, change };
}

function withFields(reply: Reply & { readonly body: object }, fields: object): Reply {
  return { ...reply, body: { ...reply.body, ...fields } };
}
