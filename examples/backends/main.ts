import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Example } from "../example.ts";
import { importAccounts } from "./accounts.ts";
import { backendsApp } from "./app.ts";
import { backendsAuth } from "./auth.ts";

/** Starts it. Everything is in memory: accounts and keys are new each time. */
export const start: Example["start"] = async ({ port: wanted }) => {
  const { SECRET_KEY, FORMER_JWT_SECRET, TRUSTED_PROXIES } = process.env;
  const server = createServer();
  server.listen({ host: "127.0.0.1", port: wanted });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const origin = `http://localhost:${port}`;
  const auth = backendsAuth({
    origin,
    secrets: [SECRET_KEY ?? randomBytes(32).toString("base64url")],
    formerSecret: FORMER_JWT_SECRET ?? null,
  });
  await importAccounts(auth);
  server.on("request", backendsApp(auth, TRUSTED_PROXIES?.split(",")));
  const json = "-H 'Content-Type: application/json'";
  return {
    origin,
    toTry: [
      `curl -X POST ${origin}/jwt/login ${json} -d '{"username":"boss","password":"boss-password"}'`,
      `curl ${origin}/admin -H "Authorization: Bearer $TOKEN"`,
      `curl ${origin}/whoami -H "X-Custom-Auth: valid-token"`,
    ],
    async close() {
      server.close();
      server.closeIdleConnections();
      await once(server, "close");
      await auth.close();
    },
  };
};
