import * as z from "zod/mini";
import type { EventOrigin } from "../domain/event.ts";
import { AuthError } from "../errors.ts";
import type { IssueOptions } from "../flows/tokens/issue-tokens.ts";
import type { IssuedTokens } from "../flows/tokens/mint-access-token.ts";
import { eventOrigin } from "../http/event-origin.ts";
import type { Jwk } from "../jwt/keys.ts";
import type { Reply, Route, RouteCall } from "../ports/route.ts";
import { identifierInput, oneIdentifier, password } from "./inputs.ts";
import { row } from "./row.ts";
import type { EndpointServices } from "./services.ts";
import { tokensShape, wireTokens } from "./wire-tokens.ts";

/** What these routes do with tokens; `Tokens` of the feature has it. */
export interface TokenCalls {
  readonly sessionTtlSeconds: number;
  issue(userId: string, options: IssueOptions): Promise<IssuedTokens>;
  refresh(refreshToken: string, from: EventOrigin): Promise<IssuedTokens>;
  reissue(sessionId: string, from: EventOrigin): Promise<IssuedTokens>;
  revoke(token: string, from: EventOrigin): Promise<void>;
  publicKeys(): readonly Jwk[];
}

/** Longer texts are no tokens. */
const token = z.string("A token is required").check(z.maxLength(8_192, "At most 8192 characters"));

const tokenInput = z.object({
  username: z.optional(identifierInput),
  email: z.optional(identifierInput),
  password: z.optional(password("Password is required")),
});

/** Access and refresh tokens, for the application's own programs. */
export function tokenRoutes({ users, guards }: EndpointServices, tokens: TokenCalls): readonly Route[] {
  // Only the origin is checked: the routes start sessions, or take a proof in the body that no browser sends by itself.
  const base = { method: "POST", guards: [guards.anyone], startsSession: true } as const;
  return [
    row({
      ...base,
      path: "/auth/token",
      refuses: ["not_authenticated", "invalid_credentials", "forbidden", "rate_limited", "overloaded"],
      summary: "Access and refresh token, for a password or for the session of the caller's cookie",
      input: tokenInput,
      answers: { 200: tokensShape },
      async handle({ input, principal, request, client }) {
        const from = eventOrigin(request, client);
        if (input.password === undefined && input.username === undefined && input.email === undefined) {
          return tokensReply(await tokens.issue(...ofCookie(principal, from)));
        }
        const login = {
          identifier: oneIdentifier(input.username, input.email),
          password: given(input.password),
        };
        const tokenSession = { ttlSeconds: tokens.sessionTtlSeconds };
        const { user, session } = await users.login(login, { request, client }, { tokenSession });
        return tokensReply(await tokens.issue(user.id, { sessionId: session.id, from }));
      },
    }),
    row({
      ...base,
      path: "/auth/token/refresh",
      refuses: ["not_authenticated", "token_reused"],
      summary:
        "The next access and refresh token; without a refresh token, another access token for a bearer's",
      input: z.object({ refresh_token: z.optional(token) }),
      answers: { 200: tokensShape },
      async handle({ input, principal, request, client }) {
        const from = eventOrigin(request, client);
        if (input.refresh_token !== undefined)
          return tokensReply(await tokens.refresh(input.refresh_token, from));
        const issued = await tokens.reissue(ofBearer(principal), from);
        // `token` is what the frameworks that re-issue in this way call it.
        return { status: 200, body: { token: issued.accessToken, ...wireTokens(issued) } };
      },
    }),
    row({
      ...base,
      path: "/auth/token/revoke",
      summary: "Revoke an access or refresh token; 200 also for one that works no more",
      input: z.object({ token, token_type_hint: z.optional(z.string()) }),
      answers: { 200: z.object({}) },
      async handle({ input, request, client }) {
        await tokens.revoke(input.token, eventOrigin(request, client));
        return { status: 200, body: {} };
      },
    }),
    row({
      method: "GET",
      isAtRoot: true,
      path: "/.well-known/jwks.json",
      summary: "Public keys that access tokens are verified with",
      guards: [guards.anyone],
      looksAtNobody: true,
      answers: { 200: z.object({ keys: z.array(z.looseObject({ kty: z.string() })) }) },
      handle: async () => ({ status: 200, body: { keys: tokens.publicKeys() } }),
    }),
  ];
}

function tokensReply(issued: IssuedTokens): Reply {
  return { status: 200, body: wireTokens(issued) };
}

// An access token is no way to a refresh token: it would become worth as much.
function ofCookie(principal: RouteCall<unknown>["principal"], from: EventOrigin): [string, IssueOptions] {
  if (!principal.isAuthenticated) throw new AuthError("not_authenticated");
  const { user, via, sessionId } = principal;
  if (via !== "session" || sessionId === null) {
    throw new AuthError("forbidden", { message: "This needs a password or the browser's session." });
  }
  return [user.id, { sessionId, from }];
}

function ofBearer(principal: RouteCall<unknown>["principal"]): string {
  if (!principal.isAuthenticated || principal.via !== "jwt" || principal.sessionId === null) {
    throw new AuthError("not_authenticated", {
      message: "Send a refresh token, or an access token as bearer.",
    });
  }
  return principal.sessionId;
}

function given(password: string | undefined): string {
  if (password !== undefined) return password;
  throw new AuthError("invalid_input", {
    fields: [{ field: "password", code: "required", message: "Password is required" }],
  });
}
