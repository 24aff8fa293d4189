import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import {
  createServer as createProxy,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

/** Google, as far as a server that asks it can tell: its addresses, by TLS, through a proxy. */
export interface Google {
  /** For a process of Node, which then finds this one under Google's names. */
  readonly env: Readonly<Record<string, string>>;
  /** Who signs in there next. */
  person: Readonly<Record<string, unknown>>;
  /** The browser at Google: from the address that it was sent to, to path and query that it comes back with. */
  signIn(url: string): string;
  close(): Promise<void>;
}

const issuer = "https://accounts.google.com";
const names = ["accounts.google.com", "oauth2.googleapis.com", "www.googleapis.com"];
const kid = "1";

/** What Google says of its addresses. @see https://accounts.google.com/.well-known/openid-configuration */
const metadata = {
  issuer,
  authorization_endpoint: `${issuer}/o/oauth2/v2/auth`,
  token_endpoint: "https://oauth2.googleapis.com/token",
  jwks_uri: "https://www.googleapis.com/oauth2/v3/certs",
  response_types_supported: ["code"],
  subject_types_supported: ["public"],
  id_token_signing_alg_values_supported: ["RS256"],
  code_challenge_methods_supported: ["S256"],
};

/** Starts one, for a client of this id and secret. */
export async function google(client: { readonly id: string; readonly secret: string }): Promise<Google> {
  const { privateKey, publicKey } = await generateKeyPair("RS256");
  const keys = { keys: [{ ...(await exportJWK(publicKey)), kid, alg: "RS256", use: "sig" }] };
  const { folder, key, cert, ca } = certificate();
  const grants = new Map<string, { request: URLSearchParams; person: Google["person"] }>();

  async function token(form: URLSearchParams): Promise<object | null> {
    const grant = grants.get(form.get("code") ?? "");
    const challenge = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    const isGood =
      grant?.request.get("code_challenge") === challenge &&
      form.get("redirect_uri") === grant.request.get("redirect_uri") &&
      form.get("client_secret") === client.secret;
    if (grant === undefined || !isGood) return null;
    const idToken = await new SignJWT({ ...grant.person, nonce: grant.request.get("nonce") })
      .setProtectedHeader({ alg: "RS256", kid })
      .setIssuer(issuer)
      .setAudience(client.id)
      .setIssuedAt()
      .setExpirationTime("5m")
      .sign(privateKey);
    return {
      access_token: randomBytes(16).toString("hex"),
      token_type: "Bearer",
      expires_in: 300,
      id_token: idToken,
    };
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const { pathname } = new URL(request.url ?? "/", issuer);
    const known: Record<string, () => unknown> = {
      "/.well-known/openid-configuration": () => metadata,
      "/oauth2/v3/certs": () => keys,
      "/token": () => token(new URLSearchParams(body)),
    };
    const answered = (await known[pathname]?.()) ?? null;
    response.writeHead(answered === null ? 400 : 200, { "Content-Type": "application/json" });
    response.end(JSON.stringify(answered ?? { error: "invalid_grant" }));
  }

  const server = createServer({ key, cert }, (request, response) => void answer(request, response));
  const port = await listening(server);
  const proxy = createProxy();
  proxy.on("connect", ({ url }: IncomingMessage, socket: Socket) => {
    socket.on("error", () => {});
    if (!names.some((name) => url === `${name}:443`)) return socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    const onward = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      socket.pipe(onward).pipe(socket);
    });
    onward.on("error", () => socket.destroy());
  });
  const proxyPort = await listening(proxy);

  const self: Google = {
    env: { NODE_USE_ENV_PROXY: "1", HTTPS_PROXY: `http://127.0.0.1:${proxyPort}`, NODE_EXTRA_CA_CERTS: ca },
    person: {},
    signIn(address) {
      const { origin, pathname, searchParams: request } = new URL(address);
      if (origin + pathname !== metadata.authorization_endpoint) throw new Error(`not Google: ${address}`);
      if (request.get("client_id") !== client.id) throw new Error("an unknown client");
      const code = randomBytes(8).toString("hex");
      grants.set(code, { request, person: self.person });
      const back = new URL(request.get("redirect_uri") ?? "");
      back.search = String(new URLSearchParams({ code, state: request.get("state") ?? "" }));
      return back.pathname + back.search;
    },
    async close() {
      for (const each of [proxy, server]) {
        each.closeAllConnections();
        each.close();
      }
      rmSync(folder, { recursive: true });
    },
  };
  return self;
}

async function listening(server: Server | ReturnType<typeof createServer>): Promise<number> {
  server.listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function text(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body += chunk;
  return body;
}

/** A certificate for Google's names that nobody vouches for but itself; `ca` is its path. */
function certificate(): { folder: string; key: Buffer; cert: Buffer; ca: string } {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-google-"));
  const [key, ca] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const alternatives = `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}`;
  const made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2".split(" ");
  const about = ["-subj", "/CN=accounts.google.com", "-addext", alternatives, "-keyout", key, "-out", ca];
  execFileSync("openssl", [...made, ...about], { stdio: "ignore" });
  return { folder, key: readFileSync(key), cert: readFileSync(ca), ca };
}
