import type { Draft } from "./draft.ts";
import type { Rule } from "./rules.ts";
import { sessionServers } from "./session-place.ts";
import type { Given } from "./settings.ts";

/** Sessions that nobody counts cannot be limited, and whoever wrote a limit relies on it. */
const countable: Rule = {
  id: "sessions-countable",
  title: "Sessions that cookies hold have no limit by number",
  about: ["maxSessionsPerUser", "sessionStorage"],
  broken: ({ maxSessionsPerUser: most, sessionStorage }, isWritten) =>
    sessionStorage === "stateless" && most > 0 && isWritten("maxSessionsPerUser")
      ? {
          found: String(most),
          problem: "cannot be held with SESSION_STORAGE=stateless, where cookies hold the sessions",
          fix: "Leave it out, or write SESSION_STORAGE=stateful.",
        }
      : null,
};

const placedOnce: readonly Rule[] = (["sessionHost", "sessionPort"] as const).map(
  (field): Rule => ({
    id: field === "sessionHost" ? "session-host-once" : "session-port-once",
    title: `The ${field === "sessionHost" ? "host" : "port"} of the sessions' server is written once`,
    about: [field, "sessionBackend", "redisUrl", "valkeyUrl", "mongodbUrl", "memcachedUrl"],
    broken: (given) => {
      const url = urlOf(given);
      if (given[field] === null || url === null) return null;
      return {
        found: `"${given[field]}"`,
        problem: `says where sessions are, and so does ${url}`,
        fix: `Keep ${url} alone.`,
      };
    },
  }),
);

/** Rules about where sessions are. */
export const sessionRules: readonly Rule[] = [...placedOnce, countable];

/** The setting that names the server of the backend in use, where it is set. */
function urlOf(given: Given): string | null {
  const { sessionBackend: backend } = given;
  if (!isServer(backend) || given[sessionServers[backend].field] === null) return null;
  return `${backend.toUpperCase()}_URL`;
}

function isServer(backend: Given["sessionBackend"]): backend is keyof typeof sessionServers {
  return Object.hasOwn(sessionServers, backend);
}

/** What an operator should hear about where sessions are: what ends with the process, and addresses that nothing reads. */
export function sessionWarnings({ given, nameOf }: Draft): readonly string[] {
  const { sessionBackend: backend } = given;
  const chosen = `${nameOf("sessionBackend")}=${backend}`;
  const kept = given.sessionStorage === "stateless" ? "the sessions of tokens" : "sessions";
  const inMemory = `${chosen} keeps ${kept} in the server's memory: they end with its process, and neither another server nor a command sees them.`;
  const unused = (Object.keys(usedBy) as (keyof typeof usedBy)[]).filter(
    (field) => given[field] !== null && !usedBy[field].includes(backend),
  );
  return [
    ...(backend === "memory" ? [inMemory] : []),
    ...unused.map((field) => `${nameOf(field)} has no effect with ${chosen}.`),
  ];
}

const servers = Object.keys(sessionServers);
const usedBy: Readonly<
  Record<
    | "redisUrl"
    | "valkeyUrl"
    | "mongodbUrl"
    | "memcachedUrl"
    | "sessionHost"
    | "sessionPort"
    | "sessionPrefix"
    | "sessionPath",
    readonly string[]
  >
> = {
  redisUrl: ["redis"],
  valkeyUrl: ["valkey"],
  mongodbUrl: ["mongodb"],
  memcachedUrl: ["memcached"],
  sessionHost: servers,
  sessionPort: servers,
  sessionPrefix: servers,
  sessionPath: ["file"],
};
