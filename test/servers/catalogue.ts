import { type Found, variable } from "./found.ts";
import { addMariadb } from "./mariadb.ts";
import { addMemcached } from "./memcached.ts";
import { addPostgres } from "./postgres.ts";
import { findPrograms, type ProgramKey } from "./programs.ts";
import { addRedis } from "./redis.ts";
import type { ServerGroup, ServerNode } from "./server-group.ts";

declare module "vitest" {
  /** Each may be null where the service is missing: skip, `describe.skipIf(inject("redisUrl") === null)`. */
  export interface ProvidedContext {
    /** An executable Chromium. */
    chromiumPath: string | null;
    /** A superuser's connection; tests create databases of their own. */
    postgresUrl: string | null;
    redisUrl: string | null;
    valkeyUrl: string | null;
    /** `host:port` */
    memcachedAddress: string | null;
    /** A MariaDB or MySQL, and a user that may create databases. */
    mysqlUrl: string | null;
    mongodbUrl: string | null;
    /** Path of `postgres`, for servers of a test's own; so are the others. */
    postgresBinary: string | null;
    redisBinary: string | null;
    valkeyBinary: string | null;
    memcachedBinary: string | null;
    mariadbBinary: string | null;
  }
}

/** The server that all tests of a run share. */
interface SharedServer {
  readonly key: ServerKey;
  /** The variable with the address of a server that somebody else runs. */
  readonly variable: string;
  readonly start: ((group: ServerGroup, binary: string) => Promise<string>) | null;
}

type ServerKey = "postgresUrl" | "redisUrl" | "valkeyUrl" | "memcachedAddress" | "mysqlUrl" | "mongodbUrl";

/** Something that tests need beside this repository. */
interface Service {
  readonly name: string;
  readonly program: ProgramKey | null;
  readonly server: SharedServer | null;
  /** Whether its absence is no error, also under `REQUIRE_SERVICES=1`: most machines cannot have it. */
  readonly isOptional: boolean;
}

/** A key for `inject`. */
export type Key = ProgramKey | ServerKey;

const services: readonly Service[] = [
  { name: "Chromium", program: "chromiumPath", server: null, isOptional: false },
  {
    name: "PostgreSQL",
    program: "postgresBinary",
    server: {
      key: "postgresUrl",
      variable: "POSTGRES_URL",
      start: async (group, binary) => (await addPostgres(group, binary)).url,
    },
    isOptional: false,
  },
  {
    name: "Redis",
    program: "redisBinary",
    server: {
      key: "redisUrl",
      variable: "REDIS_URL",
      start: async (group, binary) => `redis://${addressOf(await addRedis(group, binary))}`,
    },
    isOptional: false,
  },
  {
    name: "Valkey",
    program: "valkeyBinary",
    server: {
      key: "valkeyUrl",
      variable: "VALKEY_URL",
      start: async (group, binary) => `redis://${addressOf(await addRedis(group, binary))}`,
    },
    isOptional: true,
  },
  {
    name: "Memcached",
    program: "memcachedBinary",
    server: {
      key: "memcachedAddress",
      variable: "MEMCACHED_URL",
      start: async (group, binary) => addressOf(await addMemcached(group, binary)),
    },
    isOptional: false,
  },
  {
    name: "MariaDB",
    program: "mariadbBinary",
    server: {
      key: "mysqlUrl",
      variable: "MYSQL_URL",
      start: async (group, binary) => (await addMariadb(group, binary)).url,
    },
    isOptional: false,
  },
  {
    name: "MongoDB",
    program: null,
    server: { key: "mongodbUrl", variable: "MONGODB_URL", start: null },
    isOptional: true,
  },
];

function addressOf({ port }: ServerNode): string {
  return `127.0.0.1:${port}`;
}

/** All keys for `inject`. */
export const keys: readonly Key[] = services.flatMap(keysOf);

function keysOf({ program, server }: Service): readonly Key[] {
  return [program, server?.key ?? null].filter((key) => key !== null);
}

/** What came of a service. */
export interface Supplied {
  readonly name: string;
  /** Its value for each key that was wanted. */
  readonly values: ReadonlyMap<Key, string | null>;
  /** Null where all are there. */
  readonly missing: { readonly reason: string; readonly isError: boolean } | null;
}

/** Finds, brings and starts what is wanted, all servers at once. `open` is called where one is to be started. */
export function supply(
  wanted: ReadonlySet<string>,
  open: () => ServerGroup,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<readonly Supplied[]> {
  const used = services.filter((service) => keysOf(service).some((key) => wanted.has(key)));
  const isProgramWanted = ({ program, server }: Service): boolean =>
    program !== null &&
    (wanted.has(program) || (server !== null && variable(environment, server.variable) === null));
  const programs = used.filter(isProgramWanted).flatMap(({ program }) => program ?? []);
  const found = findPrograms(programs, environment);
  return Promise.all(
    used.map(async (service) => {
      const outcomes = new Map<Key, Found>();
      if (service.program !== null && wanted.has(service.program)) {
        outcomes.set(
          service.program,
          found.get(service.program) ?? { value: null, reason: "not looked for" },
        );
      }
      if (service.server !== null && wanted.has(service.server.key)) {
        const program = service.program === null ? undefined : found.get(service.program);
        outcomes.set(service.server.key, await serverOf(service.server, program, open, environment));
      }
      return suppliedOf(service, outcomes);
    }),
  );
}

async function serverOf(
  server: SharedServer,
  program: Found | undefined,
  open: () => ServerGroup,
  environment: NodeJS.ProcessEnv,
): Promise<Found> {
  const configured = variable(environment, server.variable);
  if (configured !== null) return { value: withoutScheme(server.key, configured) };
  if (server.start === null || program === undefined) {
    return { value: null, reason: `${server.variable} is not set` };
  }
  if (program.value === null)
    return { value: null, reason: `${server.variable} is not set, ${program.reason}` };
  try {
    return { value: await server.start(open(), program.value) };
  } catch (error) {
    return { value: null, reason: `it does not start: ${error instanceof Error ? error.message : error}` };
  }
}

/** Memcached's clients want `host:port`, people write an address as for the others. */
function withoutScheme(key: ServerKey, address: string): string {
  return key === "memcachedAddress" ? address.replace(/^[a-z]+:\/\//, "").replace(/\/$/, "") : address;
}

function suppliedOf({ name, isOptional }: Service, outcomes: ReadonlyMap<Key, Found>): Supplied {
  const reasons = [...outcomes.values()].flatMap((found) => (found.value === null ? [found.reason] : []));
  const values = new Map([...outcomes].map(([key, { value }]) => [key, value] as const));
  const reason = reasons.at(-1);
  return { name, values, missing: reason === undefined ? null : { reason, isError: !isOptional } };
}
