import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream";
import { createServer } from "node:tls";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { type ChildServer, startServer } from "./support/child-server.ts";
import { type HereServer, serveHere } from "./support/here-server.ts";

const redisUrl = inject("redisUrl");
const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
const account = { email: "ann@example.com", username: "ann", password: "seven green kettles" };

describe.skipIf(redisUrl === null || !hasOpenssl)("rediss://", { timeout: 60_000 }, () => {
  test("a server whose certificate is trusted is talked to", async () => {
    const { port, ca } = await encrypted("localhost");
    const server = await start(`rediss://localhost:${port}`, ca);
    expect((await server.browser().post("/api/v1/auth/register", account)).status).toBe(201);
  });

  test.each([
    ["nobody has vouched for", "localhost", false],
    ["is another server's", "elsewhere.example", true],
  ])("one whose certificate %s is not", async (_, name, isTrusted) => {
    const { port, ca } = await encrypted(name);
    const server = await start(`rediss://localhost:${port}`, isTrusted ? ca : null);
    expect((await server.browser().get("/readyz")).status).toBe(503);
    await server.logged("does not answer");
  });
});

/** Whom Node trusts besides is read at the start of a process; without it any process will do. */
async function start(url: string, ca: string | null): Promise<ChildServer | HereServer> {
  const variables = { SESSION_BACKEND: "redis", REDIS_URL: url, STORE_TIMEOUT_MS: "1000" };
  const server = await (ca === null
    ? serveHere(variables)
    : startServer({ ...variables, NODE_EXTRA_CA_CERTS: ca }));
  onTestFinished(() => server.remove());
  return server;
}

/** The Redis of the tests behind TLS, with a certificate made for `name`; `ca` is the path of what vouches for it. */
async function encrypted(name: string): Promise<{ readonly port: number; readonly ca: string }> {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-tls-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
  const files = ["-keyout", key, "-out", cert];
  const made = [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-days",
    "2",
  ];
  execFileSync("openssl", [...made, ...subject, ...files], { stdio: "ignore" });
  const { hostname, port } = new URL(redisUrl ?? "");
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (socket) => {
    pipeline(socket, connect(Number(port), hostname), socket, () => {});
  });
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, ca: cert };
}
