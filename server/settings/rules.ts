import { getDomain } from "tldts";
import { isLoopbackHost } from "./address-kinds.ts";
import type { Draft } from "./draft.ts";
import type { Given } from "./settings.ts";
import type { SettingsProblem } from "./settings-error.ts";

/** A rule about settings that are each well-formed; it is checked where all that it is `about` say what was meant. */
export interface Rule {
  readonly about: readonly (keyof Given)[];
  /** What is wrong, or null. The setting to name is the first of `about`. */
  readonly broken: (given: Given) => Omit<SettingsProblem, "setting"> | null;
}

/** The problems that a list of rules finds in a draft. */
export function brokenRules(rules: readonly Rule[], draft: Draft): readonly SettingsProblem[] {
  return rules.flatMap(({ about, broken }) => {
    const [subject] = about;
    if (subject === undefined || !about.every(draft.isMeant)) return [];
    const problem = broken(draft.given);
    return problem === null ? [] : [{ setting: draft.nameOf(subject), ...problem }];
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

/** Rules that hold everywhere, loopback included. */
export const everywhere: readonly Rule[] = [
  {
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
