import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { type Auth, memory, sqlite } from "latchkey";
import type { Place, Started } from "../example.ts";
import { buildApp, type Parts } from "./app.ts";
import { memorySessions, memoryUsers } from "./repositories/memory.ts";
import { openDatabase, sqlSessions, sqlUsers } from "./repositories/sql.ts";
import type { Users } from "./repositories/users.ts";

/** Starts the application; see `.env.example` for its settings. */
export async function start({ port, folder }: Place): Promise<Started> {
  if (existsSync(".env")) process.loadEnvFile();
  const { SECRET_KEY, LOGIN_PATH, APP_PATH, REPOSITORIES } = process.env;
  const server = createServer();
  await once(server.listen(port, "127.0.0.1"), "listening");
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  const { users, sessions, companion, close } = REPOSITORIES === "sql" ? inFiles(folder) : inMemory();
  const { app, auth } = buildApp({
    origin,
    // A fresh one at each start does for trying it out: it makes open forms stale, no more.
    secret: SECRET_KEY ?? randomBytes(32).toString("base64url"),
    ...(LOGIN_PATH !== undefined && { loginPath: LOGIN_PATH }),
    ...(APP_PATH !== undefined && { appPath: APP_PATH }),
    users,
    sessions,
    companion,
  });
  const admin = await firstAdmin(auth, users);
  server.on("request", getRequestListener(app.fetch));
  return {
    origin,
    toTry: [
      `Open ${origin}/register and make an account`,
      `Open ${origin}/admin and sign in ${admin}`,
      `curl -i ${origin}/me`,
    ],
    async close() {
      await once(server.close(), "close");
      await auth.close();
      close();
    },
  };
}

type Backend = Pick<Parts, "users" | "sessions" | "companion"> & { close(): void };

function inMemory(): Backend {
  return { users: memoryUsers(), sessions: memorySessions(), companion: memory(), close() {} };
}

function inFiles(folder: string): Backend {
  const database = openDatabase(join(folder, "app.db"));
  return {
    users: sqlUsers(database),
    sessions: sqlSessions(database),
    companion: sqlite({ path: join(folder, "latchkey.db") }),
    close: () => database.close(),
  };
}

// No password that somebody could know stands in the code.
async function firstAdmin(auth: Auth, users: Users): Promise<string> {
  const email = "admin@example.com";
  if ((await auth.users.findByIdentifier(email)) !== null)
    return `as ${email}, with the password of the first start`;
  const password = randomBytes(9).toString("base64url");
  const { id } = await auth.users.create({ email, password, name: "Admin" });
  users.setRole(id, "admin");
  return `as ${email} with the password ${password}`;
}
