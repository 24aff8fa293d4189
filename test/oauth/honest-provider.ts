import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair } from "jose";
import { type Configuration, Provider as OpenIdProvider } from "oidc-provider";
import { oidc, type Provider } from "../../src/features/oauth.ts";

/** A certified provider of OpenID Connect on a free port; who types a name there is that person, `<name>@example.com`. */
export interface HonestProvider {
  readonly issuer: string;
  /** For the feature. */
  readonly provider: Provider;
  /** Takes up its work, for a client at one address. */
  serve(redirectUri: string): Promise<void>;
  close(): Promise<void>;
}

const clientId = "latchkey";
const clientSecret = "a client secret for tests";

type Handle = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Starts one. */
export async function honestProvider(): Promise<HonestProvider> {
  let handle: Handle = (_request, response) => response.writeHead(503).end();
  const server: Server = createServer((request, response) => void handle(request, response));
  server.listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`;
  return {
    issuer,
    provider: oidc({
      name: "honest",
      label: "Honest",
      issuer,
      clientId,
      clientSecret,
      dangerouslyAllowHttp: true,
    }),
    async serve(redirectUri) {
      const provider = new OpenIdProvider(issuer, await configuration(redirectUri));
      const answer = provider.callback();
      handle = (request, response) =>
        request.url?.startsWith("/interaction/")
          ? interact(provider, request, response)
          : answer(request, response);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function configuration(redirectUri: string): Promise<Configuration> {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  return {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: "client_secret_post",
      },
    ],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: "1", alg: "RS256", use: "sig" }] },
    cookies: { keys: ["a key for the provider's own cookies"] },
    ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
    pkce: { required: () => true },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: true, name: id }),
    }),
    // Whoever signs in agrees.
    async loadExistingGrant({ oidc: { provider, client, session } }) {
      const accountId = session?.accountId;
      const grant = new provider.Grant({
        clientId: client?.clientId ?? "",
        ...(accountId !== undefined && { accountId }),
      });
      grant.addOIDCScope("openid email profile");
      await grant.save();
      return grant;
    },
  };
}

async function interact(
  provider: OpenIdProvider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method === "POST") {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const accountId = new URLSearchParams(Buffer.concat(chunks).toString()).get("name") ?? "";
    await provider.interactionFinished(request, response, { login: { accountId } });
    return;
  }
  const icon = '<link rel="icon" href="data:,">';
  const form =
    '<form method="post"><label>Name <input name="name"></label><button>Sign in here</button></form>';
  response.writeHead(200, { "Content-Type": "text/html" });
  response.end(`<!doctype html><title>Honest</title>${icon}<h1>Honest</h1>${form}`);
}
