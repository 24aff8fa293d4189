import type { Config } from "../config.ts";
import { deviceTtlSeconds } from "../domain/device.ts";
import { type CookieOptions, setCookie } from "../http/cookies.ts";
import { rateLimitHeaders } from "../http/rate-limit.ts";
import type { SessionChange } from "../ports/change.ts";

/** What headers are written to where no Response is built: `ServerResponse` wrapped in one line. */
export interface HeaderSink {
  append(name: string, value: string): void;
}

/** Minutes that a mailed token may rest in its cookie between the link and the form. */
const mailedMaxAgeSeconds = 900;
/** How long a sign-in with a provider may be under way. */
const oauthMaxAgeSeconds = 600;
/** How long a browser keeps the language that was chosen in it. */
const languageMaxAgeSeconds = 31_536_000;

/**
 * Writes what a change says into the headers of an answer: the only writer of cookies. The answer becomes `no-store`, since
 * a cache that kept it would hand one person's session to the next.
 *
 * @returns what takes headers, as given; of a `Response` a copy, plain and with its body. One that a handler hands out each time
 * would carry cookies from one person to the next
 */
export function seal<A extends Response | HeaderSink>(config: Config, answer: A, change: SessionChange): A {
  if (isResponse(answer)) return sealOwn(config, new Response(answer.body, answer), change) as A;
  write(config, answer, change);
  answer.append("Cache-Control", "no-store");
  return answer;
}

/** The same for a `Response` that was made for this one request, which needs no copy. */
export function sealOwn(config: Config, response: Response, change: SessionChange): Response {
  write(config, response.headers, change);
  response.headers.set("Cache-Control", "no-store");
  return response;
}

function write(config: Config, headers: HeaderSink, change: SessionChange): void {
  for (const cookie of cookiesOf(config, change)) headers.append("Set-Cookie", setCookie(cookie));
  if (change.limits !== undefined) {
    for (const [name, value] of rateLimitHeaders(change.limits)) headers.append(name, value);
  }
  headers.append("Vary", "Cookie");
}

/** What a handler or flow says is the last word on cookies; the limits that the check counted stay. */
export function joined(
  said: SessionChange | null | undefined,
  checked: SessionChange | undefined,
): SessionChange | undefined {
  if (said == null) return checked;
  return checked?.limits === undefined ? said : { ...said, limits: checked.limits };
}

// By its shape: a framework that puts a `Response` of its own in the place of Node's does not change what `fetch` answers.
function isResponse(answer: Response | HeaderSink): answer is Response {
  return "headers" in answer;
}

function cookiesOf({ cookie }: Config, change: SessionChange): CookieOptions[] {
  const base = {
    isSecure: cookie.isSecure,
    sameSite: cookie.sameSite,
    domain: cookie.domain,
    isHttpOnly: true,
  };
  const cookies: CookieOptions[] = [];
  const { session, form, mailed, oauth, device, language } = change;
  if (session === "clear") {
    cookies.push({ ...base, name: cookie.name, value: "", maxAgeSeconds: 0 });
    cookies.push({ ...base, name: `${cookie.name}-csrf`, value: "", maxAgeSeconds: 0, isHttpOnly: false });
  } else if (session !== undefined) {
    const { token, maxAgeSeconds, csrfToken } = session;
    cookies.push({ ...base, name: cookie.name, value: token, maxAgeSeconds });
    // Readable by script, which sends it back in a header: another site can do neither.
    cookies.push({
      ...base,
      name: `${cookie.name}-csrf`,
      value: csrfToken,
      maxAgeSeconds,
      isHttpOnly: false,
    });
  }
  if (form !== undefined)
    cookies.push({ ...base, name: `${cookie.name}-form`, value: form, maxAgeSeconds: null });
  if (mailed !== undefined) {
    const isGone = mailed === "clear";
    cookies.push({
      ...base,
      name: `${cookie.name}-mailed`,
      value: isGone ? "" : mailed,
      maxAgeSeconds: isGone ? 0 : mailedMaxAgeSeconds,
    });
  }
  if (device !== undefined)
    cookies.push({ ...base, name: `${cookie.name}-device`, value: device, maxAgeSeconds: deviceTtlSeconds });
  if (language !== undefined)
    cookies.push({
      ...base,
      name: `${cookie.name}-language`,
      value: language,
      maxAgeSeconds: languageMaxAgeSeconds,
    });
  if (oauth !== undefined) {
    const isGone = oauth === "clear";
    cookies.push({
      ...base,
      // Whatever the session's cookie is: this one has to come along when the provider sends the browser back.
      sameSite: "Lax",
      name: `${cookie.name}-oauth`,
      value: isGone ? "" : oauth,
      maxAgeSeconds: isGone ? 0 : oauthMaxAgeSeconds,
    });
  }
  return cookies;
}
