import { createRequire } from "node:module";
import type { ConfigOptions } from "./options.ts";
import { exactOrigin, isLoopback } from "./origin.ts";
import { illShaped, isObject, listOf, optional, record, type Shape, text } from "./shapes.ts";

const daySeconds = 86_400;
/** What a lifetime may be at most: ten years. */
export const longestSeconds: number = 3_650 * daySeconds;
/** Browsers keep no cookie longer. @see RFC 6265bis, section 5.5 */
const longestCookieSeconds = 400 * daySeconds;
/** Different characters of a secret, at least: random ones of 32 bytes have more in every usual encoding. */
const leastCharacters = 8;

const origins = listOf(text("https://app.example"), '["https://app.example"]');
const path = optional(text("/auth"));
/** What the options have to be before anything looks into them. */
const shapes: Readonly<Record<string, Shape>> = {
  origin: text("https://app.example"),
  trustedOrigins: optional(origins),
  secrets: listOf(text("what `latchkey secret` prints"), "[process.env.SECRET_KEY]"),
  basePath: path,
  loginPath: path,
  appPath: path,
  passwordPath: path,
  cookie: optional(record({ name: text("latchkey"), domain: text("app.example") })),
  session: optional(record()),
  login: optional(record()),
  cors: optional(corsShape),
};

/** Options that have their shape; those without are left out. */
type Shaped = Partial<ConfigOptions>;

/** Everything about the options that cannot be used, one line each, with the fix. */
export function problemsOf(options: ConfigOptions): readonly string[] {
  if (!isObject(options)) return ["options: an object, such as { origin, secrets, stores }"];
  const wrong = illShaped(options, shapes);
  const shaped: Shaped = Object.fromEntries(Object.entries(options).filter(([name]) => !wrong.has(name)));
  return [...[...wrong.values()].flat(), ...valueProblems(shaped)];
}

function valueProblems(options: Shaped): readonly string[] {
  const { origin = "https://invalid", secrets } = options;
  const url = new URL(exactOrigin(origin) ?? "https://invalid");
  const isSecure = url.protocol === "https:";
  const isProduction = !isLoopback(url.hostname);
  return [
    ...originProblems({ ...options, origin }, isSecure, isProduction),
    ...(secrets === undefined ? [] : secretProblems(secrets, isProduction)),
    ...cookieProblems(options, isSecure, url.hostname),
    ...numberProblems(options),
    ...choiceProblems(options),
    ...sessionProblems(options.session),
    ...pathProblems(options),
    ...corsProblems(options.cors, isProduction),
  ];
}

function corsShape(value: unknown, name: string): readonly string[] {
  const headers = listOf(text("X-Own"), '["X-Own"]');
  const required: Shape = (value, name) => (value === "*" ? [] : origins(value, name));
  const problems = record({ headers })(value, name);
  return isObject(value)
    ? [...problems, ...required(Reflect.get(value, "origins"), `${name}.origins`)]
    : problems;
}

function originProblems(
  options: Shaped & Pick<ConfigOptions, "origin">,
  isSecure: boolean,
  isProduction: boolean,
): string[] {
  const problems: string[] = [];
  if (exactOrigin(options.origin) === null)
    problems.push(`origin: ${JSON.stringify(options.origin)} is no exact origin; write https://host[:port]`);
  if (isProduction && !isSecure) problems.push("origin: http is for loopback only; use https");
  if (isProduction && options.csrf === false)
    problems.push("csrf: cannot be switched off where the origin is not loopback");
  for (const trusted of options.trustedOrigins ?? []) {
    if (exactOrigin(trusted) !== trusted)
      problems.push(`trustedOrigins: ${JSON.stringify(trusted)} is no exact origin`);
  }
  return problems;
}

function secretProblems(secrets: readonly string[], isProduction: boolean): string[] {
  if (secrets.length === 0) return ["secrets: at least one is needed"];
  const good = "`latchkey secret` prints a good one";
  return secrets.flatMap((secret, index) => {
    if (Buffer.byteLength(secret) < 32) return [`secrets[${index}]: shorter than 32 bytes; ${good}`];
    // Long and yet guessed: one letter held down, or a pattern of a few.
    return isProduction && new Set(secret).size < leastCharacters
      ? [`secrets[${index}]: fewer than ${leastCharacters} different characters; ${good}`]
      : [];
  });
}

function cookieProblems(options: Shaped, isSecure: boolean, hostname: string): string[] {
  const { name = "latchkey", sameSite, domain, maxAgeSeconds } = options.cookie ?? {};
  const problems: string[] = [];
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) problems.push("cookie.name: 1 to 64 of A-Z a-z 0-9 _ -");
  if (/^__(?:host|secure|http)/i.test(name)) problems.push("cookie.name: the prefix is added by itself");
  if (sameSite === "none" && (options.trustedOrigins ?? []).length === 0) {
    problems.push("cookie.sameSite: none needs trustedOrigins");
  }
  if (sameSite === "none" && !isSecure) problems.push("cookie.sameSite: none needs an https origin");
  if (maxAgeSeconds !== null) {
    problems.push(...numberProblem("cookie.maxAgeSeconds", maxAgeSeconds, 1, longestCookieSeconds));
  }
  if (domain !== undefined) {
    if (hostname !== domain && !hostname.endsWith(`.${domain}`))
      problems.push(`cookie.domain: ${domain} does not cover the origin`);
    if (isPublicSuffix(domain)) {
      problems.push(`cookie.domain: ${domain} is a public suffix; every site below it would get the cookie`);
    }
  }
  return problems;
}

// Required where a domain is set and nowhere else: the list of public suffixes is larger than the rest of Latchkey.
function isPublicSuffix(domain: string): boolean {
  const { getDomain }: typeof import("tldts") = createRequire(import.meta.url)("tldts");
  return getDomain(domain, { allowPrivateDomains: true }) === null;
}

function numberProblems({
  session = {},
  login = {},
  freshSeconds,
  maxBodyBytes,
  storeTimeoutMs,
}: Shaped): string[] {
  const ranges: readonly Parameters<typeof numberProblem>[] = [
    ["session.idleSeconds", session.idleSeconds, 10, longestSeconds],
    ["session.absoluteSeconds", session.absoluteSeconds, 10, longestSeconds],
    ["session.rememberedIdleSeconds", session.rememberedIdleSeconds, 10, longestSeconds],
    ["session.rememberedAbsoluteSeconds", session.rememberedAbsoluteSeconds, 10, longestSeconds],
    ["session.maxPerUser", session.maxPerUser, 0, 10_000],
    ["session.sweepIntervalSeconds", session.sweepIntervalSeconds, 0, daySeconds],
    ["login.maxAttempts", login.maxAttempts, 1, 1_000],
    ["login.windowSeconds", login.windowSeconds, 1, 30 * daySeconds],
    ["freshSeconds", freshSeconds, 1, 30 * daySeconds],
    ["maxBodyBytes", maxBodyBytes, 1_024, 16 * 1_024 * 1_024],
    ["storeTimeoutMs", storeTimeoutMs, 10, 30_000],
  ];
  return ranges.flatMap((range) => numberProblem(...range));
}

// Each has a most as well: past 2,147,483,647 ms a timer fires at once, and dates past the year 275760 are none.
function numberProblem(name: string, value: number | undefined, least: number, most: number): string[] {
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return [];
  return [`${name}: a whole number, at least ${least} and at most ${most}`];
}

// Of what is no choice nothing would come, or the opposite of what was meant: a cookie without `SameSite`, say.
function choiceProblems(options: Shaped): string[] {
  const { cookie = {}, session = {}, cors } = options;
  const choices: readonly (readonly [name: string, value: unknown, choices: readonly unknown[]])[] = [
    ["cookie.sameSite", cookie.sameSite, ["lax", "strict", "none"]],
    ["session.binding", session.binding, ["off", "user-agent", "ip+user-agent"]],
    ["session.mode", session.mode, ["stateful", "stateless"]],
    ["session.encrypt", session.encrypt, [true, false]],
    ["registration", options.registration, ["open", "confirm", "invite", "closed"]],
    ["csrf", options.csrf, [true, false]],
    ["signInAfterRegistration", options.signInAfterRegistration, [true, false]],
    ["cors.credentials", cors?.credentials, [true, false]],
  ];
  return choices.flatMap(([name, value, among]) =>
    value === undefined || among.includes(value)
      ? []
      : [`${name}: ${among.slice(0, -1).join(", ")} or ${among.at(-1)}`],
  );
}

function sessionProblems({ mode, maxPerUser }: NonNullable<ConfigOptions["session"]> = {}): string[] {
  // Somebody who wrote a cap relies on it.
  return mode === "stateless" && maxPerUser
    ? ["session.maxPerUser: stateless sessions cannot be counted; leave it out"]
    : [];
}

function pathProblems(options: Shaped): string[] {
  const { passwordPath = "/account" } = options;
  const paths = { basePath: options.basePath, loginPath: options.loginPath, appPath: options.appPath };
  // The form may be a part of a page.
  const all = { ...paths, passwordPath: passwordPath.replace(/#[A-Za-z0-9_-]+$/, "") };
  return Object.entries(all).flatMap(([name, path]) =>
    path === undefined || /^\/(?:[A-Za-z0-9._~-]+(?:\/[A-Za-z0-9._~-]+)*)?$/.test(path)
      ? []
      : [`${name}: a path such as /auth, without a slash at its end`],
  );
}

function corsProblems(cors: ConfigOptions["cors"], isProduction: boolean): string[] {
  if (cors === undefined) return [];
  if (cors.origins === "*") {
    if (cors.credentials)
      return ["cors: `*` with credentials would hand every site its visitors' accounts; list the origins"];
    return isProduction ? ["cors: `*` is for loopback only; list the origins"] : [];
  }
  return cors.origins.flatMap((origin) =>
    exactOrigin(origin) === origin ? [] : [`cors.origins: ${JSON.stringify(origin)} is no exact origin`],
  );
}
