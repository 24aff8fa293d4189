import {
  type Anonymous,
  type ApiKeys,
  type Auth,
  AuthError,
  type AuthRequest,
  type ClientInfo,
  type Log,
  type Principal,
  type SessionChange,
  wantsPage,
} from "latchkey";
import type { Administration } from "latchkey/administration";
import type { HonoContext } from "latchkey/hono";
import type { Mail } from "latchkey/mail";
import type { OAuth } from "latchkey/oauth";
import type { ShownMails } from "../mail/shown-mails.ts";
import { answer } from "./answer.ts";
import { errorDocument } from "./error-page.ts";
import { type Languages, languages as usualLanguages } from "./language/language.ts";
import type { PageHandler, PageRequest, PageRow } from "./page.ts";
import { pageRequest } from "./request.ts";
import { spokenTo } from "./speaking.ts";
import { type Theme, usualTheme } from "./theme/theme.ts";

/** What pages need besides `auth`. */
export interface PageOptions {
  /** The peer of a context: `hono(auth).client`. */
  readonly client: (context: HonoContext) => ClientInfo;
  /** Where failures of the system are told. Default: nowhere. */
  readonly log?: Pick<Log, "error">;
  /** Sign-in with providers. Default: the pages do not speak of it. */
  readonly oauth?: OAuth;
  /** API keys. Default: the pages do not speak of them. */
  readonly apiKeys?: ApiKeys;
  /** Default: nobody is invited, nor acted for. */
  readonly administration?: Administration;
  /** Mail. Default: the pages do not speak of it. */
  readonly mail?: Mail;
  /** Mails that are shown to the developer. Default: none are. */
  readonly shownMails?: ShownMails;
  /** Path of what says what every route does; null: there is nothing of it. Default: the OpenAPI document. */
  readonly apiReference?: string | null;
  /** Languages of the pages. Default: English, German, Spanish and Japanese, English for who asks for none of them. */
  readonly languages?: Languages;
  /** What an operator put in place of the usual pages. Default: nothing. */
  readonly theme?: Theme;
  /** For words such as "5 minutes ago". Default: the machine's clock. */
  readonly now?: () => Date;
}

/** What a router calls. */
type Handle = (context: HonoContext) => Promise<Response>;

/** Makes what a router calls out of rows: the pipeline, then the page, then its cookies. */
export interface PageRunner {
  show(row: PageRow): Handle;
  submit(row: PageRow, handler: PageHandler): Handle;
  /** The answer to methods that the page does not know. */
  refuseMethod(row: PageRow): Handle;
}

/** Runs pages over `auth`. */
export function pageRunner(auth: Auth, options: PageOptions): PageRunner {
  const { languages = usualLanguages(), theme = usualTheme } = options;
  const { apiReference = `${auth.config.basePath}/openapi.json` } = options;
  const speaking = { languages, cookie: auth.config.cookie };
  return {
    show: (row) => (context) => guarded(arrivalOf(context), row, row.show),
    submit: (row, handler) => (context) => {
      const arrival = arrivalOf(context);
      return row.startsSession
        ? run(arrival, handler, { principal: nobody })
        : guarded(arrival, row, handler);
    },
    refuseMethod: (row) => async (context) => {
      const response = await refused(arrivalOf(context), { error: new AuthError("method_not_allowed") });
      response.headers.set("Allow", row.submit === undefined ? "GET, HEAD" : "GET, HEAD, POST");
      return response;
    },
  };

  function arrivalOf(context: HonoContext): Arrival {
    const request = pageRequest(context, auth.config.maxBodyBytes);
    return { request, client: options.client(context), url: new URL(request.url) };
  }

  async function guarded(arrival: Arrival, row: PageRow, handler: PageHandler): Promise<Response> {
    const verdict = await auth.check(arrival.request, arrival.client, ...row.guards);
    return verdict.ok ? run(arrival, handler, verdict) : refused(arrival, verdict);
  }

  async function run(
    arrival: Arrival,
    handler: PageHandler,
    { principal, change }: Passed,
  ): Promise<Response> {
    const { request, client, url } = arrival;
    const { pathname: path, searchParams: query } = url;
    let kept = change;
    try {
      const now = options.now?.() ?? new Date();
      const spoken = await spokenTo(request, principal, speaking);
      const visit = { request, client };
      const keep = (noted: SessionChange): void => {
        kept = { ...kept, ...noted };
      };
      const reply = await handler({
        auth,
        oauth: options.oauth ?? null,
        apiKeys: options.apiKeys ?? null,
        administration: options.administration ?? null,
        mail: options.mail ?? null,
        shownMails: options.shownMails ?? null,
        apiReference,
        visit,
        path,
        query,
        principal,
        language: spoken.language,
        localeBy: spoken.by,
        languages,
        now,
        keep,
      });
      const error = reply.kind === "document" ? reply.error : undefined;
      const changes = { ...kept, ...reply.change };
      if (error !== undefined && !wantsPage(request, auth.config.basePath)) {
        return refused(arrival, { error, change: changes });
      }
      const to = { auth, request, client, path, query, principal, spoken, theme };
      return await answer({ ...reply, change: changes }, to);
    } catch (thrown) {
      const error = thrown instanceof AuthError ? thrown : new AuthError("internal_error", { cause: thrown });
      tellFailure(error);
      return refused(arrival, { error, change: kept, principal });
    }
  }

  /** Page or problem document, by what the request can read; a redirect where the pipeline names one. */
  async function refused({ request, client, url }: Arrival, refusal: Refusal): Promise<Response> {
    const { error, change } = refusal;
    if (refusal.redirect === undefined && wantsPage(request, auth.config.basePath)) {
      const { pathname: path, searchParams: query } = url;
      const requestId = error.status >= 500 ? client.requestId : undefined;
      const known = refusal.principal ?? (await lookingAt(auth, { request, client }, error));
      const spoken = await spokenTo(request, known, speaking);
      const about = { retryPath: path, loginPath: auth.config.loginPath, requestId };
      const document = errorDocument(error, spoken.language, about);
      const principal = refusal.principal ?? shownOn(known);
      const to = { auth, request, client, path, query, principal, spoken, theme };
      return answer({ ...document, change }, to);
    }
    const { status, headers, body } = auth.errorAnswer(
      { ok: false, error, redirect: refusal.redirect },
      client,
    );
    const plain = headers.map(([name, value]): [string, string] => [name, value]);
    return auth.seal(new Response(body === "" ? null : body, { status, headers: plain }), change ?? {});
  }

  function tellFailure(error: AuthError): void {
    if (error.status < 500 || error.code === "overloaded") return;
    options.log?.error(error.message, { code: error.code, diagnosis: error.diagnosis }, error.cause);
  }
}

/** Who is looking at a refusal, as far as it can be told: they read their own language. A store that has just failed is not asked again. */
export async function lookingAt(
  auth: Auth,
  visit: { readonly request: AuthRequest; readonly client: ClientInfo },
  error: AuthError,
): Promise<Principal | null> {
  if (error.status >= 500) return null;
  const { principal } = await auth
    .authenticate(visit.request, visit.client)
    .catch(() => ({ principal: null }));
  return principal;
}

/** Who sees themselves on the page of a refusal: who acts in another's place is to see it on every page. Others find it the same for everybody. */
export function shownOn(principal: Principal | null): Principal | null {
  return principal?.isAuthenticated && principal.impersonator === null ? null : principal;
}

interface Arrival {
  readonly request: PageRequest;
  readonly client: ClientInfo;
  readonly url: URL;
}

interface Passed {
  readonly principal: Principal;
  readonly change?: SessionChange | undefined;
}

interface Refusal {
  readonly error: AuthError;
  readonly redirect?: string | undefined;
  /** Who is looking, where that is known. */
  readonly principal?: Principal;
  readonly change?: SessionChange | undefined;
}

/** Who posts a form that starts a session is, for that form, nobody yet. */
const nobody: Anonymous = { isAuthenticated: false, user: null, via: "anonymous", displayName: "Anonymous" };
