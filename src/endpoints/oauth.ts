import * as z from "zod/mini";
import type { LinkedAccountInfo, OAuth, OAuthFinish } from "../api/oauth.ts";
import type { Config } from "../config.ts";
import { AuthError } from "../errors.ts";
import type { OAuthStart } from "../flows/oauth/start.ts";
import { isFromAnotherSite } from "../http/from-another-site.ts";
import { nextPath, requestUrl } from "../http/next-path.ts";
import { isNavigation } from "../http/wants-page.ts";
import type { AuthRequest } from "../ports/request.ts";
import type { Reply, Route, RouteCall } from "../ports/route.ts";
import { inPerson } from "./in-person.ts";
import { row } from "./row.ts";
import type { EndpointServices, ShowUser } from "./services.ts";
import { signInShape, userShape } from "./wire.ts";

/** What the routes work with besides. */
export interface OAuthParts {
  readonly oauth: OAuth;
  readonly config: Pick<Config, "loginPath" | "appPath" | "cookie" | "origin" | "trustedOrigins">;
  /** Page where people look after their linked accounts. */
  readonly accountPath: string;
}

const startShape = z.object({ url: z.url() });
const accountShape = z.object({
  provider: z.string(),
  email: z.nullable(z.string()),
  created_at: z.iso.datetime(),
  last_used_at: z.nullable(z.iso.datetime()),
});

const answerField = z.optional(z.string().check(z.maxLength(4_096)));
/** What a provider's answer may hold. Anything else in it is dropped. */
const answerNames = ["code", "state", "iss", "error"] as const;
const answerInput = z.object({
  code: answerField,
  state: answerField,
  iss: answerField,
  error: answerField,
});

/** Sign-in with providers, and the links to them. */
export function oauthRoutes({ guards, showUser }: EndpointServices, parts: OAuthParts): readonly Route[] {
  const { oauth } = parts;
  return [
    row({
      method: "GET",
      path: "/auth/oauth/{provider}",
      summary: "Begin to sign in with a provider: `url`, or a redirect there for a browser's navigation",
      guards: [guards.anyone],
      answers: { 200: startShape, 302: null, 303: null },
      handle: (call) =>
        onward(parts, call, async ({ params, query, request, client }) => {
          const elsewhere = bySignInPage(parts, request, query);
          if (elsewhere !== null) return elsewhere;
          const options = {
            next: query.get("next"),
            isRemembered: query.get("remember") === "on",
            isFresh: query.get("fresh") === "on",
          };
          return begun(await oauth.start(params.provider ?? "", options, { request, client }), request, 302);
        }),
    }),
    row({
      method: "GET",
      path: "/auth/oauth/callback/{provider}",
      summary: "Where a provider sends browsers back to",
      guards: [guards.anyone],
      answers: {
        200: z.union([signInShape, z.object({ linked: z.string() })]),
        201: z.object({ user: userShape }),
        303: null,
      },
      handle: (call) =>
        onward(parts, call, async ({ params, query, request, client }) => {
          const again = fromOwnPage(parts, request, query);
          if (again !== null) return again;
          const provider = params.provider ?? "";
          return finished(parts, await oauth.finish(provider, query, { request, client }), request, showUser);
        }),
    }),
    row({
      method: "POST",
      path: "/auth/oauth/callback/{provider}",
      summary: "The same for providers that answer with a form; sends the browser to the GET",
      guards: [guards.anyone],
      changesNothing: true,
      input: answerInput,
      answers: { 303: null },
      async handle({ input, request }) {
        const query = new URLSearchParams();
        for (const name of answerNames) if (input[name] !== undefined) query.set(name, input[name]);
        return { status: 303, location: `${requestUrl(request.url).pathname}?${query}` };
      },
    }),
    row({
      method: "POST",
      path: "/auth/oauth/{provider}/link",
      summary: "Begin to link an account at a provider to the caller's; needs a fresh sign-in",
      guards: [guards.signedIn],
      answers: { 200: startShape },
      handle: (call) =>
        onward(parts, call, async ({ params, request, client }) =>
          begun(await oauth.startLink(params.provider ?? "", { request, client }), request, 200),
        ),
    }),
    row({
      method: "DELETE",
      path: "/auth/oauth/{provider}",
      summary: "Unlink a provider from the caller's account; needs a fresh sign-in",
      guards: [guards.signedIn],
      answers: { 204: null },
      async handle({ params, request, client }) {
        await oauth.unlink(params.provider ?? "", { request, client });
        return { status: 204 };
      },
    }),
    row({
      method: "GET",
      path: "/users/me/accounts",
      summary: "The caller's accounts at providers",
      guards: [guards.signedIn],
      answers: { 200: z.object({ items: z.array(accountShape), next_cursor: z.null() }) },
      async handle({ principal }) {
        const items = (await oauth.accounts(inPerson(principal).user.id)).map(wireAccount);
        return { status: 200, body: { items, next_cursor: null } };
      },
    }),
  ];
}

/** A refusal on a navigation goes back to a page, which says it in words; an address that is none stays one. */
async function onward(
  { oauth, config, accountPath }: OAuthParts,
  call: RouteCall<undefined>,
  handle: (call: RouteCall<undefined>) => Promise<Reply>,
): Promise<Reply> {
  try {
    return await handle(call);
  } catch (thrown) {
    const isTold = thrown instanceof AuthError && thrown.code !== "not_found" && isNavigation(call.request);
    if (!isTold || thrown.status === 500) throw thrown;
    const query = new URLSearchParams({ refused: thrown.code });
    const known = oauth.providers.find(({ name }) => name === call.params.provider);
    if (known !== undefined) query.set("provider", known.name);
    // The sign-in page sends on who is signed in, and the words with it.
    const page = call.principal.isAuthenticated ? accountPath : config.loginPath;
    return { status: 303, location: `${page}?${query}` };
  }
}

// Another site would else sign its visitors in, unasked, as whoever the provider knows them for. Programs are not concerned: the
// answer opens nothing without the browser's way to the provider.
function bySignInPage({ config }: OAuthParts, request: AuthRequest, query: URLSearchParams): Reply | null {
  if (!isNavigation(request) || !isFromAnotherSite(request, [config.origin, ...config.trustedOrigins]))
    return null;
  const next = nextPath(query.get("next"), config.origin);
  const location = next === null ? config.loginPath : `${config.loginPath}?next=${encodeURIComponent(next)}`;
  return { status: 303, location };
}

function begun({ url, change }: OAuthStart, request: AuthRequest, status: 200 | 302): Reply {
  return isNavigation(request) ? { status, location: url, change } : { status: 200, body: { url }, change };
}

// A session cookie with `SameSite=Strict` stays away from what another site's page led to: the browser comes once more, from
// here.
function fromOwnPage({ config }: OAuthParts, request: AuthRequest, query: URLSearchParams): Reply | null {
  if (config.cookie.sameSite !== "Strict" || !isNavigation(request) || query.has("again")) return null;
  const { pathname, search } = requestUrl(request.url);
  return { status: 200, location: `${pathname}${search}${search === "" ? "?" : "&"}again=1` };
}

async function finished(
  { config, accountPath }: OAuthParts,
  finish: OAuthFinish,
  request: AuthRequest,
  showUser: ShowUser,
): Promise<Reply> {
  const isPage = isNavigation(request);
  const { change } = finish;
  switch (finish.kind) {
    case "linked":
      return isPage
        ? { status: 303, location: `${accountPath}?done=linked#accounts`, change }
        : { status: 200, body: { linked: finish.provider }, change };
    case "registered":
      return isPage
        ? { status: 303, location: `${config.loginPath}?done=registered`, change }
        : { status: 201, body: { user: await showUser(finish.user) }, change };
    case "signed-in": {
      if (isPage) return { status: 303, location: finish.next ?? config.appPath, change };
      const { user, session } = finish.signIn;
      const csrfToken = typeof change.session === "object" ? change.session.csrfToken : null;
      const expiresAt = session.expiresAt.toISOString();
      return {
        status: 200,
        body: { csrf_token: csrfToken, user: await showUser(user), expires_at: expiresAt },
        change,
      };
    }
  }
}

function wireAccount({ provider, email, createdAt, lastUsedAt }: LinkedAccountInfo) {
  return {
    provider,
    email,
    created_at: createdAt.toISOString(),
    last_used_at: lastUsedAt?.toISOString() ?? null,
  };
}
