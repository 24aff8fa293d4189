import { inject, onTestFinished } from "vitest";
import type { Cleanup } from "../../servers/own.ts";
import { type OwnCluster, startRedisCluster } from "../../servers/start-redis.ts";
import { type Browser, browserOn } from "../../support/browser.ts";
import { type ChildServer, run, startServer } from "./child-server.ts";
import { newPostgres } from "./databases.ts";
import { type RoundRobin, roundRobin } from "./round-robin.ts";

/** Whether this machine has what {@link twoServers} needs. */
export const canRunTwo: boolean = inject("postgresUrl") !== null && inject("redisBinary") !== null;

/** Two servers as processes of their own, on one PostgreSQL and one Redis cluster, behind a proxy that takes them in turn. */
export interface TwoServers {
  readonly proxy: RoundRobin;
  readonly servers: readonly [ChildServer, ChildServer];
  readonly cluster: OwnCluster;
  /** PostgreSQL's address. */
  readonly databaseUrl: string;
  /** A browser on the site; with `only` its requests go to that server alone. */
  browser(only?: ChildServer): Browser;
  /** Starts whichever of them has ended anew. */
  bothRun(): Promise<void>;
  /** Runs a command of an operator on the same stores. */
  latchkey(...args: readonly string[]): Promise<{ readonly code: number | null; readonly out: string }>;
}

/** Starts them. @param cleanup - by default they end with the test */
export async function twoServers(
  variables: Readonly<Record<string, string>> = {},
  cleanup: Cleanup = (end) => onTestFinished(end),
): Promise<TwoServers> {
  const cluster = await startRedisCluster({ cleanup });
  const [databaseUrl, proxy] = [await newPostgres(cleanup), await roundRobin()];
  cleanup(async () => proxy.close());
  const settings = {
    ...{ DATABASE_URL: databaseUrl, SESSION_BACKEND: "redis", REDIS_URL: cluster.urls.join(",") },
    ...{ ORIGIN: proxy.origin, TRUSTED_PROXIES: "127.0.0.1/32" },
    ...{ SECRET_KEY: "q8Zr1mVt6WxkP0sYd3HuJfLb7NcGeA2T", ...variables },
  };
  const start = async (): Promise<ChildServer> => {
    const server = await startServer(settings);
    cleanup(() => server.remove());
    return server;
  };
  const running = async (server: ChildServer): Promise<ChildServer> => (hasEnded(server) ? start() : server);
  // At once, as a supervisor would: both find a database without a schema.
  let servers: readonly [ChildServer, ChildServer] = await Promise.all([start(), start()]);
  const passOn = (): void => {
    proxy.ports = servers.map(({ port }) => port);
  };
  passOn();
  return {
    ...{ proxy, cluster, databaseUrl },
    get servers() {
      return servers;
    },
    browser: (only) => browserOn((sent) => send(sent, only?.origin ?? proxy.origin), proxy.origin),
    async bothRun() {
      servers = await Promise.all([running(servers[0]), running(servers[1])]);
      passOn();
    },
    async latchkey(...args) {
      const { ended, stdout } = run("cli/main.ts", args, servers[0].folder, settings);
      const { code } = await ended;
      return { code, out: stdout() };
    },
  };
}

function hasEnded({ child }: ChildServer): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function send(sent: Request, to: string): Promise<Response> {
  const { pathname, search } = new URL(sent.url);
  return fetch(new Request(to + pathname + search, sent), { redirect: "manual" });
}
