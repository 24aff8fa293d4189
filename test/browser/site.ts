import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer, type HttpBindings } from "@hono/node-server";
import { serverApp } from "../../server/app.ts";
import { createLog } from "../../server/log.ts";
import { type Auth, type AuthOptions, createAuth } from "../../src/auth.ts";
import { apiKeys } from "../../src/features/api-keys.ts";
import type { Feature } from "../../src/features/feature.ts";
import type { OAuth } from "../../src/features/oauth.ts";
import { passwords } from "../../src/features/passwords.ts";
import { argon2id } from "../../src/password/argon2id.ts";
import { memory } from "../../src/stores/memory.ts";

/** The server's app with all its headers, listening, over stores in memory. */
export interface Site {
  readonly origin: string;
  readonly auth: Auth;
  close(): Promise<void>;
}

type Fetch = Parameters<typeof createAdaptorServer>[0]["fetch"];

/** A password that the policy accepts. */
export const password = "correct horse battery staple";

/** How a site differs from the usual one. */
export interface SiteOptions extends Pick<AuthOptions, "cookie"> {
  /** Sign-in with providers. */
  readonly oauth?: Feature<OAuth>;
}

/** Starts a site on a free port. */
export async function openSite({ oauth, ...options }: SiteOptions = {}): Promise<Site> {
  const log = createLog({ level: "silent" });
  let fetch: Fetch = () => new Response(null, { status: 503 });
  const server = createAdaptorServer({ fetch: (request, bindings) => fetch(request, bindings) }) as Server;
  server.listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  const keys = apiKeys();
  const auth = createAuth({
    ...options,
    origin,
    secrets: ["a secret of at least thirty-two bytes for tests"],
    stores: memory(),
    features: [
      passwords({ hashers: [argon2id({ memoryKiB: 8, passes: 1 })] }),
      keys,
      ...(oauth === undefined ? [] : [oauth]),
    ],
  });
  const app = serverApp({
    auth,
    log,
    trustedProxies: [],
    isOriginConfigured: true,
    isStopping: () => false,
    apiKeys: auth.use(keys),
    ...(oauth !== undefined && { oauth: auth.use(oauth) }),
  });
  fetch = (request, bindings) => app.fetch(request, bindings as HttpBindings);
  return {
    origin,
    auth,
    async close() {
      server.close();
      server.closeAllConnections();
      await auth.close();
    },
  };
}

/** An account that nobody has signed in to yet. */
export function createAda({ auth }: Site): Promise<{ readonly id: string }> {
  return auth.users.create({ email: "ada@example.com", username: "ada", name: "Ada Lovelace", password });
}
