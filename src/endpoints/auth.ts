import * as z from "zod/mini";
import { AuthError } from "../errors.ts";
import type { SignIn } from "../flows/start-session.ts";
import type { Reply, Route } from "../ports/route.ts";
import { chosenPassword, displayName, email, flag, password, username } from "./inputs.ts";
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

const identifier = z.string("Email is required").check(z.maxLength(254, "At most 254 characters"));
const loginInput = z.object({
  username: z.optional(identifier),
  email: z.optional(identifier),
  password: password("Password is required"),
  remember: flag,
});

/** Registration and sign-in. */
export function signInRoutes({ users, guards }: EndpointServices): readonly Route[] {
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
      async handle({ input, request, client }) {
        return signedIn(await users.reauthenticate(input.password, { request, client }), 200);
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
      async handle({ input, request, client }) {
        const passwords = { current: input.current_password, next: input.new_password };
        return signedIn(await users.changePassword(passwords, { request, client }), 200);
      },
    }),
  ];
}

function signedIn({ user, session, change }: SignIn, status: number): Reply {
  const started = change.session;
  const csrfToken = typeof started === "object" ? started.csrfToken : null;
  const body = { csrf_token: csrfToken, user: wireUser(user), expires_at: session.expiresAt.toISOString() };
  return { status, body, change };
}

// Two different ones are a request that means two things.
function oneIdentifier(asUsername: string | undefined, asEmail: string | undefined): string {
  const typed = asUsername ?? asEmail ?? "";
  if (typed.trim() === "") {
    throw new AuthError("invalid_input", {
      fields: [{ field: "username", code: "required", message: "Email or username is required" }],
    });
  }
  if (asUsername !== undefined && asEmail !== undefined && asUsername !== asEmail) {
    throw new AuthError("invalid_input", {
      fields: [{ field: "email", code: "conflict", message: "Send username or email, not both" }],
    });
  }
  return typed;
}
