import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer, type HttpBindings } from "@hono/node-server";
import { serverApp } from "../../server/app.ts";
import { createLog } from "../../server/log.ts";
import { shownMails } from "../../server/mail/shown-mails.ts";
import { type Auth, type AuthOptions, createAuth } from "../../src/auth.ts";
import { type Administration, administration } from "../../src/features/administration.ts";
import { apiKeys } from "../../src/features/api-keys.ts";
import type { Feature } from "../../src/features/feature.ts";
import { mail } from "../../src/features/mail.ts";
import type { OAuth } from "../../src/features/oauth.ts";
import { passwords } from "../../src/features/passwords.ts";
import type { Tokens } from "../../src/features/tokens.ts";
import { argon2id } from "../../src/password/argon2id.ts";
import { memory } from "../../src/stores/memory.ts";

/** The server's app with all its headers, listening, over stores in memory. */
export interface Site {
  readonly origin: string;
  readonly auth: Auth;
  readonly administration: Administration;
  /** The link to a page (`/reset`) in the newest mail that has one, as path and query. @throws Error where there is none */
  mailed(path: string): Promise<string>;
  /** The newest mail of all, as text. */
  newestMail(): Promise<string>;
  close(): Promise<void>;
}

type Fetch = Parameters<typeof createAdaptorServer>[0]["fetch"];

/** A password that the policy accepts. */
export const password = "correct horse battery staple";

/** How a site differs from the usual one. */
export interface SiteOptions extends Pick<AuthOptions, "cookie" | "registration"> {
  /** Mails, shown at `/dev/mail`. Default: the site sends none. */
  readonly hasMail?: boolean;
  /** Sign-in with providers. */
  readonly oauth?: Feature<OAuth>;
  readonly tokens?: Feature<Tokens>;
}

/** Starts a site on a free port. */
export async function openSite({
  oauth,
  tokens,
  hasMail = false,
  ...options
}: SiteOptions = {}): Promise<Site> {
  const log = createLog({ level: "silent" });
  let fetch: Fetch = () => new Response(null, { status: 503 });
  const server = createAdaptorServer({ fetch: (request, bindings) => fetch(request, bindings) }) as Server;
  server.listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  const keys = apiKeys();
  const admin = administration();
  const shown = shownMails();
  const mails = mail({ mailer: shown, from: "Site <site@localhost>", isReal: false });
  const auth = createAuth({
    ...options,
    origin,
    secrets: ["a secret of at least thirty-two bytes for tests"],
    stores: memory(),
    features: [
      passwords({ hashers: [argon2id({ memoryKiB: 8, passes: 1 })] }),
      keys,
      admin,
      ...(oauth === undefined ? [] : [oauth]),
      ...(hasMail ? [mails] : []),
      ...(tokens === undefined ? [] : [tokens]),
    ],
  });
  const app = serverApp({
    auth,
    log,
    trustedProxies: [],
    isOriginConfigured: true,
    isStopping: () => false,
    apiKeys: auth.use(keys),
    administration: auth.use(admin),
    ...(oauth !== undefined && { oauth: auth.use(oauth) }),
    ...(hasMail && { mail: auth.use(mails), shownMails: shown }),
  });
  fetch = (request, bindings) => app.fetch(request, bindings as HttpBindings);
  return {
    origin,
    auth,
    administration: auth.use(admin),
    async mailed(path) {
      await auth.use(mails).flush();
      for (const { text } of shown.list()) {
        const link = /^https?:\/\/\S+$/m.exec(text)?.[0];
        if (link !== undefined && new URL(link).pathname === path) return link.slice(origin.length);
      }
      throw new Error(`no mail links to ${path}`);
    },
    async newestMail() {
      await auth.use(mails).flush();
      return shown.list()[0]?.text ?? "";
    },
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
