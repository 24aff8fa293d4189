import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { FastifyServerFactory } from "fastify";
import { type Auth, sqlite } from "latchkey";
import { jwt } from "latchkey/tokens";
import type { Command, Place, Started } from "../example.ts";
import { buildApp } from "./app.ts";
import { authService } from "./auth-service.ts";
import { cleanUpExpiredSessions, daily } from "./cleanup.ts";
import { compose } from "./compose.ts";
import { printEvents } from "./events.ts";
import { acmeTokens } from "./token-format.ts";

/** Starts the service; see `.env.example` for its settings. */
export async function start({ port, folder }: Place): Promise<Started> {
  const server = createServer();
  await once(server.listen(port, "127.0.0.1"), "listening");
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  const auth = fromSettings(origin, folder);
  const serverFactory: FastifyServerFactory = (answer) => server.on("request", answer);
  const app = buildApp({ auth, service: authService(auth), serverFactory });
  printEvents(auth);
  const endSchedule = daily(3, async () => console.log(await cleanUpExpiredSessions(auth)));
  await app.ready();
  const form = "-d email=ada@example.com -d password=engine-of-1843";
  return {
    origin,
    toTry: [
      `curl ${form} ${origin}/api/v1/auth/register`,
      `curl -c jar ${form} ${origin}/login`,
      `curl -b jar ${origin}/dashboard`,
    ],
    async close() {
      endSchedule();
      await once(server.close(), "close");
      await app.close();
      await auth.close();
    },
  };
}

/** `npm run example service sweep` */
export const commands: Readonly<Record<string, Command>> = {
  async sweep({ folder }) {
    const auth = fromSettings("http://localhost:3000", folder);
    try {
      return await cleanUpExpiredSessions(auth);
    } finally {
      await auth.close();
    }
  },
};

function fromSettings(origin: string, folder: string): Auth {
  if (existsSync(".env")) process.loadEnvFile();
  const { SESSION_SECRET, SESSION_TIMEOUT_MINUTES = "60", JWT_SECRET } = process.env;
  return compose({
    origin,
    stores: sqlite({ path: join(folder, "service.db") }),
    // A fresh one at each start does for trying it out.
    sessionSecret: SESSION_SECRET ?? randomBytes(32).toString("base64url"),
    sessionTimeoutMinutes: Number(SESSION_TIMEOUT_MINUTES),
    enableSessionStorage: process.env.ENABLE_SESSION_STORAGE !== "false",
    singleSession: process.env.SINGLE_SESSION === "true",
    ...(process.env.TOKEN_FORMAT === "acme" && { sessionTokens: acmeTokens }),
    // Tokens that another program makes for our users: `{ user_id, exp }`, HS256.
    features: JWT_SECRET === undefined ? [] : [jwt({ key: JWT_SECRET, userIdClaim: "user_id" })],
  });
}
