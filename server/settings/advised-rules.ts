import { getDomain } from "tldts";
import { isLoopbackHost } from "./address-kinds.ts";
import { isEncryptedDatabase, isEncryptedSessionServer, serverOfSessions } from "./encrypted-links.ts";
import { originUrl, type Rule } from "./rules.ts";
import type { Given } from "./settings.ts";

/**
 * What an operator should do in production and a start does not insist on, unless PRODUCTION_SECURITY_STRICT_MODE says so. Each holds
 * with the defaults, or cannot be known to hold without what is asked for.
 */
export const advised: readonly Rule[] = [
  {
    id: "proxies-named",
    title: "The proxy in front, which speaks https, is trusted to say who the client is",
    about: ["trustedProxies"],
    broken: ({ trustedProxies }) =>
      trustedProxies.length > 0
        ? null
        : {
            found: "nothing",
            problem:
              "makes everybody one client: limits hit all at once, and the audit log has the proxy's address",
            fix: "Set it to the addresses of your proxies, as in 127.0.0.1 or 10.0.0.0/24.",
          },
  },
  {
    id: "proxies-narrow",
    title: "Trusted proxies are a few addresses",
    about: ["trustedProxies"],
    broken: ({ trustedProxies }) => {
      const wide = trustedProxies.filter(isWide);
      return wide.length === 0
        ? null
        : {
            found: wide.join(", "),
            problem: "trusts whole networks: whoever is in one chooses the address that limits and log see",
            fix: "Name the proxies themselves, or a range that holds nothing else.",
          };
    },
  },
  {
    id: "same-site-kept",
    title: "Other sites do not cause the session cookie to be sent",
    about: ["sessionSameSite"],
    broken: ({ sessionSameSite }) =>
      sessionSameSite === "none"
        ? {
            found: '"none"',
            problem: "leaves the CSRF checks as the only guard against other sites",
            fix: "Write lax, and serve what needs the session from one site.",
          }
        : null,
  },
  {
    id: "cookie-of-one-host",
    title: "The session cookie is the origin's alone",
    about: ["sessionDomain"],
    broken: ({ sessionDomain }) =>
      sessionDomain === null
        ? null
        : {
            found: `"${sessionDomain}"`,
            problem: "gives the cookie to every host below it, and lets each of them plant one",
            fix: "Leave it out, so that the cookie is __Host-.",
          },
  },
  {
    id: "cors-https",
    title: "Sites that may read answers are https",
    about: ["corsOrigins"],
    broken: ({ corsOrigins }) => {
      const open = corsOrigins.filter((origin) => origin.startsWith("http:"));
      return open.length === 0
        ? null
        : {
            found: open.join(", "),
            problem: "lets who sits between a visitor and an http page read answers",
            fix: "Use https for those, or drop them.",
          };
    },
  },
  {
    id: "registration-known",
    title: "Whoever registers has shown that the address is theirs, or was invited",
    about: ["registrationMode", "smtpUrl"],
    broken: ({ registrationMode, smtpUrl }) =>
      (registrationMode ?? (smtpUrl === null ? "open" : "confirm")) === "open"
        ? {
            found: registrationMode === null ? "nothing, which is open without SMTP_URL" : '"open"',
            problem: "lets anybody make accounts with anybody's address",
            fix: "Set SMTP_URL and write confirm; or write invite or closed.",
          }
        : null,
  },
  {
    id: "mail-there",
    title: "Mail can be sent: forgotten passwords, notices",
    about: ["smtpUrl"],
    broken: ({ smtpUrl }) =>
      smtpUrl === null
        ? {
            found: "nothing",
            problem: "leaves whoever forgets a password to an operator, and nobody hears of a new sign-in",
            fix: "Set SMTP_URL and MAIL_FROM.",
          }
        : null,
  },
  {
    id: "mail-encrypted",
    title: "Mail leaves this machine encrypted",
    about: ["smtpUrl"],
    // With a password the upgrade is insisted on. @see smtpMailer
    broken: ({ smtpUrl }) =>
      smtpUrl === null || smtpUrl.isTls || smtpUrl.username !== null || isLoopbackHost(smtpUrl.host)
        ? null
        : {
            found: "smtp:// without a password",
            problem: "sends links that sign people in over plain text where the mail server offers no more",
            fix: "Write smtps://…, or a name and password, which are sent over TLS alone.",
          },
  },
  {
    id: "mail-from-own",
    title: "Mail comes from the origin's own domain",
    about: ["mailFrom", "origin"],
    broken: (given) => {
      const domain = /@([^\s@<>]+)>?$/.exec(given.mailFrom ?? "")?.[1]?.toLowerCase() ?? null;
      if (domain === null) return null;
      const site = (host: string): string => getDomain(host) ?? host;
      return site(domain) === site(originUrl(given).hostname)
        ? null
        : {
            found: `"${domain}"`,
            problem: "is not of the origin's domain: filters and people take such mail for a forgery",
            fix: "Write an address of the domain that links lead to.",
          };
    },
  },
  {
    id: "database-encrypted",
    title: "The way to the database is encrypted, and its name checked",
    about: ["database"],
    broken: ({ database }) =>
      isEncryptedDatabase(database)
        ? null
        : {
            found: "an address without TLS",
            problem: "sends accounts over the network in plain text",
            fix:
              database.engine === "postgres"
                ? "Write sslmode=verify-full among its parameters, in place of another sslmode, as in postgres://…/latchkey?sslmode=verify-full."
                : "Write ssl-mode=VERIFY_IDENTITY among its parameters, as in mysql://…/latchkey?ssl-mode=VERIFY_IDENTITY, and &ssl-ca=<path> for an authority of your own.",
          },
  },
  {
    id: "sessions-encrypted",
    title: "The way to the sessions is encrypted",
    about: ["sessionBackend", "redisUrl", "valkeyUrl", "mongodbUrl", "memcachedUrl", "sessionHost"],
    broken: (given) =>
      isEncryptedSessionServer(given)
        ? null
        : {
            found: "an address without TLS",
            problem: "sends sessions over the network in plain text, and takes what anybody between answers",
            fix: encryptedAddress[given.sessionBackend as keyof typeof encryptedAddress],
          },
  },
  {
    id: "sessions-locked",
    title: "The server of the sessions asks for a password",
    about: ["sessionBackend", "redisUrl", "valkeyUrl", "mongodbUrl", "sessionHost"],
    broken: (given) => {
      const server = serverOfSessions(given);
      return server === null || server.isLocal || server.hasPassword || given.sessionBackend === "memcached"
        ? null
        : {
            found: "an address without a password",
            problem: "lets whoever reaches that server read and make sessions",
            fix: `Give the server a password, and write it into ${given.sessionBackend.toUpperCase()}_URL.`,
          };
    },
  },
  {
    id: "sessions-kept",
    title: "Sessions outlive the server's process",
    about: ["sessionBackend", "sessionStorage"],
    broken: ({ sessionBackend, sessionStorage }) =>
      sessionBackend === "memory"
        ? {
            found: '"memory"',
            problem: `${sessionStorage === "stateless" ? "ends every sign-in for tokens" : "signs everybody out"} at each start, and a second server knows of none`,
            fix: "Write database, or another backend.",
          }
        : null,
  },
  {
    id: "session-idle-bounded",
    title: "A session that is not used ends within a day",
    about: ["sessionIdleSeconds"],
    broken: ({ sessionIdleSeconds }) =>
      sessionIdleSeconds > 86_400
        ? {
            found: `${sessionIdleSeconds / 60} minutes`,
            problem: "keeps forgotten sessions on shared machines open for more than a day",
            fix: "Write 1440 minutes or fewer; people who want to stay may tick the box.",
          }
        : null,
  },
  {
    id: "session-life-bounded",
    title: "Every session ends within 30 days, a remembered one within 90",
    about: [
      "sessionAbsoluteSeconds",
      "sessionIdleSeconds",
      "rememberedAbsoluteSeconds",
      "rememberedIdleSeconds",
    ],
    broken: (given) =>
      Math.max(given.sessionAbsoluteSeconds, given.sessionIdleSeconds) > 30 * 86_400 ||
      Math.max(given.rememberedAbsoluteSeconds, given.rememberedIdleSeconds) > 90 * 86_400
        ? {
            found: "a longer life",
            problem: "gives a stolen cookie months",
            fix: "Bring SESSION_ABSOLUTE_MINUTES and SESSION_TIMEOUT_MINUTES to 43200 or less, REMEMBER_ABSOLUTE_DAYS and REMEMBER_IDLE_DAYS to 90 or less.",
          }
        : null,
  },
  {
    id: "sessions-counted",
    title: "Stores keep at most 100 sessions of one user",
    about: ["maxSessionsPerUser", "sessionStorage"],
    broken: ({ maxSessionsPerUser: most, sessionStorage }) =>
      most === 0 || most > 100
        ? {
            found: String(most),
            problem: "lets one account fill the store",
            // Where cookies hold the sessions no number may be written but 0, and the default is on those of tokens.
            fix: sessionStorage === "stateless" ? "Leave it out." : "Write a number from 1 to 100.",
          }
        : null,
  },
  {
    id: "guesses-few",
    title: "One address has at most 20 guesses at an account in an hour",
    about: ["loginMaxAttempts", "loginWindowSeconds"],
    broken: ({ loginMaxAttempts, loginWindowSeconds }) => {
      const hourly = (loginMaxAttempts * 3_600) / loginWindowSeconds;
      return hourly > 20
        ? {
            found: `${loginMaxAttempts} in ${loginWindowSeconds / 60} minutes`,
            problem: "leaves weak passwords to be guessed",
            fix: "Lower LOGIN_MAX_ATTEMPTS, or lengthen LOGIN_WINDOW_MINUTES.",
          }
        : null;
    },
  },
  {
    id: "access-tokens-short",
    title: "An access token works for at most an hour",
    about: ["tokenExpiresInSeconds"],
    broken: ({ tokenExpiresInSeconds: seconds }) =>
      seconds !== null && seconds > 3_600
        ? {
            found: `${seconds / 60} minutes`,
            problem: "is how long a token goes on working where others verify it without asking",
            fix: "Write 60 or fewer; refresh tokens keep people signed in.",
          }
        : null,
  },
  {
    id: "refresh-bounded",
    title: "A sign-in for tokens lasts at most 90 days",
    about: ["tokenSessionSeconds"],
    broken: ({ tokenSessionSeconds: seconds }) =>
      seconds > 90 * 86_400
        ? {
            found: `${seconds / 86_400} days`,
            problem: "gives a stolen refresh token months",
            fix: "Write 90 or fewer.",
          }
        : null,
  },
  {
    id: "former-secrets-few",
    title: "At most two former secrets still verify",
    about: ["previousSecretKeys"],
    broken: ({ previousSecretKeys: { length } }) =>
      length > 2
        ? {
            found: `${length} secrets`,
            problem: "keeps old secrets good for forging",
            fix: "Run `latchkey secret reencrypt`; where nothing is left under a former secret, drop the oldest.",
          }
        : null,
  },
  {
    id: "secret-of-its-own",
    title: "The secret is used for nothing else, nor twice",
    about: [
      "secretKey",
      "previousSecretKeys",
      "metricsToken",
      "database",
      "smtpUrl",
      "redisUrl",
      "valkeyUrl",
      "mongodbUrl",
    ],
    broken: (given) => {
      const place = elsewhere(given);
      return place === null
        ? null
        : {
            found: `the same in ${place}`,
            problem: "is known to another system as well",
            fix: "Run `latchkey secret` for a new one, and keep the old one in SECRET_KEY_PREVIOUS for a while.",
          };
    },
  },
  {
    id: "log-discreet",
    title: "The log is neither silent nor in detail",
    about: ["logLevel"],
    broken: ({ logLevel }) =>
      logLevel !== null && ["trace", "debug", "silent", "fatal"].includes(logLevel)
        ? {
            found: `"${logLevel}"`,
            problem:
              logLevel === "trace" || logLevel === "debug" ? "is for a while only" : "hides what goes wrong",
            fix: "Write info or warn.",
          }
        : null,
  },
  {
    id: "bodies-small",
    title: "Bodies of requests are at most 1 MiB",
    about: ["maxBodyBytes"],
    broken: ({ maxBodyBytes }) =>
      maxBodyBytes > 1_048_576
        ? {
            found: `${maxBodyBytes} bytes`,
            problem: "lets strangers fill the memory",
            fix: "Write 1048576 or less; nothing here needs more.",
          }
        : null,
  },
  {
    id: "clients-prompt",
    title: "A client has at most two minutes for its request",
    about: ["requestTimeoutSeconds"],
    broken: ({ requestTimeoutSeconds: seconds }) =>
      seconds > 120
        ? {
            found: `${seconds} seconds`,
            problem: "lets slow clients hold connections",
            fix: "Write 120 or fewer.",
          }
        : null,
  },
  {
    id: "sweep-often",
    title: "What has expired is removed at least every six hours",
    about: ["sessionCleanupIntervalSeconds"],
    broken: ({ sessionCleanupIntervalSeconds: seconds }) =>
      seconds > 21_600
        ? {
            found: `${seconds / 60} minutes`,
            problem: "keeps addresses and browsers of ended sessions longer than they serve",
            fix: "Write 360 or fewer.",
          }
        : null,
  },
  {
    id: "environment-agrees",
    title: "ENVIRONMENT does not call this place a playground",
    about: ["environment"],
    broken: ({ environment }) =>
      environment !== null && environment !== "production" && environment !== "staging"
        ? {
            found: `"${environment}"`,
            problem: "says what the origin contradicts: one of them is wrong",
            fix: "Write production, or leave it out.",
          }
        : null,
  },
];

/** What to write instead of an address without TLS. */
const encryptedAddress = {
  redis: "Write REDIS_URL=rediss://…, and neither SESSION_HOST nor SESSION_PORT.",
  valkey: "Write VALKEY_URL=valkeys://…, and neither SESSION_HOST nor SESSION_PORT.",
  mongodb: "Write tls=true among the parameters of MONGODB_URL, and neither SESSION_HOST nor SESSION_PORT.",
  memcached: "Memcached has neither encryption nor passwords here: run it on this machine, or use redis.",
} as const;

// A proxy is one machine or a few; a private network of a cloud has thousands of strangers' machines at times.
function isWide(range: string): boolean {
  const [address = "", prefix = "0"] = range.split("/");
  return Number(prefix) < (address.includes(":") ? 48 : 16);
}

function elsewhere(given: Given): string | null {
  const { secretKey: secret, previousSecretKeys, smtpUrl, redisUrl, valkeyUrl, mongodbUrl, database } = given;
  if (secret === null) return null;
  if (previousSecretKeys.includes(secret)) return "SECRET_KEY_PREVIOUS";
  if (given.metricsToken === secret) return "METRICS_TOKEN";
  if (passwordOf(database) === secret) return "DATABASE_URL";
  if (smtpUrl?.password === secret) return "SMTP_URL";
  if (redisUrl?.password === secret) return "REDIS_URL";
  if (valkeyUrl?.password === secret) return "VALKEY_URL";
  if (mongodbUrl !== null && decodedPassword(mongodbUrl.url) === secret) return "MONGODB_URL";
  return null;
}

function passwordOf(database: Given["database"]): string | null {
  if (database.engine === "mysql") return database.password;
  return database.engine === "postgres" ? decodedPassword(database.url) : null;
}

function decodedPassword(url: string): string | null {
  const password = /^[^/]*\/\/[^:@/]*:([^@/]*)@/.exec(url)?.[1];
  try {
    return password === undefined ? null : decodeURIComponent(password);
  } catch {
    return null;
  }
}
