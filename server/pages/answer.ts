import type { Auth, AuthRequest, ClientInfo, Principal, SessionChange } from "latchkey";
import { comingBack } from "./language-switch.ts";
import { type Frame, frameParts } from "./layout.ts";
import type { DocumentReply, PageReply } from "./page.ts";
import type { Spoken } from "./speaking.ts";
import type { Theme } from "./theme/theme.ts";

/** What an answer is made for. */
export interface AnswerOptions {
  readonly auth: Auth;
  /** Null where it is not known; then the page is the same for everybody. */
  readonly request: AuthRequest | null;
  readonly client: ClientInfo;
  /** Where the page is. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Null where the page is the same for everybody. */
  readonly principal: Principal | null;
  readonly spoken: Spoken;
  readonly theme: Theme;
  /** What the pipeline found to change, where the reply says nothing of its own. */
  readonly change?: SessionChange | undefined;
}

/** A reply as it goes to the browser, with its cookies. No cache keeps it: it was made for one person. */
export async function answer(reply: PageReply, options: AnswerOptions): Promise<Response> {
  const response =
    reply.kind === "redirect"
      ? new Response(null, { status: reply.status, headers: { Location: reply.to } })
      : await documentResponse(reply, options);
  return options.auth.seal(response, { ...options.change, ...reply.change });
}

/** Status and headers of a refusal are those of the same refusal over JSON; only the body is for people. */
async function documentResponse(reply: DocumentReply, options: AnswerOptions): Promise<Response> {
  const { auth, request, client, principal, spoken, theme } = options;
  const { title, error, goesOnTo } = reply;
  const { appPath, loginPath } = auth.config;
  const { language, by } = spoken;
  const told = error === undefined ? null : auth.errorAnswer({ ok: false, error }, client);
  const headers = new Headers(told?.headers.map(([name, value]): [string, string] => [name, value]));
  headers.set("Content-Type", "text/html; charset=utf-8");
  headers.set("Content-Language", language.locale);
  if (by === "browser" || by === "default") headers.append("Vary", "Accept-Language");
  headers.set("X-Content-Type-Options", "nosniff");
  if (goesOnTo !== undefined) headers.set("Refresh", `0; url=${goesOnTo}`);
  const surroundings = { language, appPath, loginPath };
  const main = theme.arrange(reply, surroundings);
  const frame = { appPath, loginPath, path: options.path, principal, stopToken: await stopToken(), language };
  const languages = switchFor(options);
  const content = { title, isError: error !== undefined, main };
  const document = theme.frame(frameParts(content, { ...frame, languages, look: theme.look }), surroundings);
  return new Response(String(document), { status: reply.status ?? told?.status ?? 200, headers });

  // For the button of the banner, which every page has while somebody acts in another's place.
  async function stopToken(): Promise<string | null> {
    if (request === null || !principal?.isAuthenticated || principal.impersonator === null) return null;
    return auth.sessions.csrfToken({ request, client });
  }
}

/** The other languages, for who is known to be nobody: who is signed in has said theirs on the account page, or says it there. */
function switchFor({ principal, spoken, path, query }: AnswerOptions): Frame["languages"] {
  if (principal === null || principal.isAuthenticated) return null;
  return { locales: spoken.languages.locales, next: comingBack(path, query) };
}
