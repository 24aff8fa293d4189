import { getDomain } from "tldts";
import { isLoopbackHost } from "./address-kinds.ts";
import type { Draft } from "./draft.ts";
import type { Given } from "./settings.ts";
import { brief, type SettingsProblem } from "./settings-error.ts";

/** A rule about settings that are each well-formed; it is checked where all that it is `about` say what was meant. */
export interface Rule {
  /** Names it for good, in the doctor's table. */
  readonly id: string;
  /** What holds where it is kept. */
  readonly title: string;
  readonly about: readonly (keyof Given)[];
  /** What is wrong, or null. The setting to name is the first of `about`. */
  readonly broken: (given: Given, isWritten: Draft["isWritten"]) => Omit<SettingsProblem, "setting"> | null;
}

/** The problems that a list of rules finds in a draft. */
export function brokenRules(rules: readonly Rule[], draft: Draft): readonly SettingsProblem[] {
  return rules.flatMap(({ about, broken }) => {
    const [subject] = about;
    if (subject === undefined || !about.every(draft.isMeant)) return [];
    const problem = broken(draft.given, draft.isWritten);
    return problem === null ? [] : [brief({ setting: draft.nameOf(subject), ...problem })];
  });
}

/** The origin as far as it is known before the server listens. */
export function originUrl(given: Pick<Given, "origin" | "port">): URL {
  return new URL(given.origin ?? `http://localhost:${given.port}`);
}

/**
 * Whether what is unsafe is refused: the configured origin is not loopback, or ENVIRONMENT says so. The environment
 * can make a start stricter and never less strict.
 */
export function isProduction(given: Pick<Given, "environment" | "origin" | "port">): boolean {
  return given.environment === "production" || !isLoopbackHost(originUrl(given).hostname);
}

/** Whether what is advised in production is insisted on. */
export function isStrict(given: Pick<Given, "environment" | "isStrictMode" | "origin" | "port">): boolean {
  return given.isStrictMode && isProduction(given);
}

/** Rules that hold everywhere, loopback included. */
export const everywhere: readonly Rule[] = [
  {
    id: "origin-named",
    title: "The origin is configured where other machines are let in",
    about: ["origin", "host"],
    broken: ({ origin, host }) =>
      origin !== null || isLoopbackHost(host)
        ? null
        : {
            found: "nothing",
            problem: `is needed because HOST=${host} lets other machines in`,
            fix: "Set it to what browsers will show, as in https://app.example, or leave HOST out.",
          },
  },
  {
    id: "cookies-secure",
    title: "Cookies of an https origin go over https alone",
    about: ["secureCookies", "origin"],
    broken: (given) =>
      given.secureCookies === false && (originUrl(given).protocol === "https:" || isProduction(given))
        ? {
            found: "false",
            problem: "would send the session over http too",
            fix: "Leave it out: on an https origin it is true.",
          }
        : null,
  },
  {
    id: "same-site-none-named",
    title: "A cookie that every site may cause to be sent is meant for named origins",
    about: ["sessionSameSite", "trustedOrigins"],
    broken: ({ sessionSameSite, trustedOrigins }) =>
      sessionSameSite === "none" && trustedOrigins.length === 0
        ? {
            found: '"none"',
            problem: "opens the session to every site",
            fix: "Set TRUSTED_ORIGINS to those that need it, or write lax.",
          }
        : null,
  },
  {
    id: "same-site-none-https",
    title: "SameSite=None is used on https, where browsers take it",
    // Browsers drop a SameSite=None cookie that is not Secure, so nobody could sign in. @see RFC 6265bis, section 5.7
    about: ["sessionSameSite", "origin"],
    broken: (given) =>
      given.sessionSameSite === "none" && originUrl(given).protocol !== "https:"
        ? {
            found: '"none"',
            problem: "works on an https origin only",
            fix: "Set ORIGIN to one that begins with https://, or write lax.",
          }
        : null,
  },
  {
    id: "cookie-domain-covers",
    title: "The cookie's domain covers the origin",
    about: ["sessionDomain", "origin"],
    broken: (given) => {
      const { sessionDomain: domain } = given;
      const { hostname } = originUrl(given);
      if (domain === null || hostname === domain || hostname.endsWith(`.${domain}`)) return null;
      return {
        found: `"${domain}"`,
        problem: `does not cover the origin's host ${hostname}`,
        fix: "Leave it out, or write a domain above it.",
      };
    },
  },
  {
    id: "cookie-domain-own",
    title: "The cookie's domain is not a public suffix",
    about: ["sessionDomain"],
    broken: ({ sessionDomain: domain }) =>
      domain !== null && getDomain(domain, { allowPrivateDomains: true }) === null
        ? {
            found: `"${domain}"`,
            problem: "is shared by sites of different owners, and browsers refuse it",
            fix: "Leave it out, or write your own domain.",
          }
        : null,
  },
  {
    id: "cors-any-credentials",
    title: "Not every site may read answers with credentials",
    // Any site could then act as whoever visits it. @see Fetch standard, section "CORS protocol and credentials"
    about: ["corsOrigins", "corsAllowCredentials"],
    broken: ({ corsOrigins, corsAllowCredentials }) =>
      corsOrigins.includes("*") && corsAllowCredentials
        ? {
            found: '"*"',
            problem: "with CORS_ALLOW_CREDENTIALS=true hands every site its visitors' accounts",
            fix: "List the origins that need it.",
          }
        : null,
  },
  {
    id: "cors-one-answer",
    title: "CORS_ORIGINS names origins or everybody, not both",
    about: ["corsOrigins"],
    broken: ({ corsOrigins }) =>
      corsOrigins.includes("*") && corsOrigins.length > 1
        ? {
            found: '"*" beside others',
            problem: "says both everybody and somebody",
            fix: "List the origins, without *.",
          }
        : null,
  },
  {
    id: "pages-apart",
    title: "The sign-in page is not the page behind it",
    about: ["loginPath", "appPath"],
    broken: ({ loginPath, appPath }) =>
      loginPath === appPath
        ? {
            found: `"${loginPath}"`,
            problem: "is APP_PATH too: a signed-in person would be sent in circles",
            fix: "Give each its own path.",
          }
        : null,
  },
  ...(["loginPath", "appPath"] as const).map(
    (page): Rule => ({
      id: page === "loginPath" ? "login-path-free" : "app-path-free",
      title: `${page === "loginPath" ? "The sign-in page" : "The page behind the sign-in"} lies outside of BASE_PATH`,
      about: [page, "basePath"],
      broken: (given) =>
        `${given[page]}/`.startsWith(`${given.basePath}/`)
          ? {
              found: `"${given[page]}"`,
              problem: "is a page and lies under BASE_PATH, where programs are answered",
              fix: "Move one of them.",
            }
          : null,
    }),
  ),
  {
    id: "base-path-below-root",
    title: "Pages and routes for programs have room beside each other",
    about: ["basePath"],
    broken: ({ basePath }) =>
      basePath === "/"
        ? {
            found: '"/"',
            problem: "leaves no room for pages",
            fix: "Write at least one segment, as in /api/v1.",
          }
        : null,
  },
];
