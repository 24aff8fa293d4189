import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { startServer } from "latchkey-server";
import type { Example } from "../example.ts";
import { application } from "./application.ts";
import { type Redis, startRedis } from "./redis.ts";

/** Starts the reference server with routes of its own. What the environment or `.env` sets of its settings stays. */
export const start: Example["start"] = async ({ port, folder }) => {
  if (existsSync(".env")) process.loadEnvFile();
  const redis = needsRedis(process.env) ? await startRedis() : null;
  const environment = {
    SECRET_KEY: randomBytes(32).toString("base64url"),
    LOG_LEVEL: "warn",
    ...process.env,
    ...sessionsIn(redis),
    // Never a database of yours: an administrator is made here whose password stands in the README.
    DATABASE_URL: `sqlite://${resolve(folder)}/saas.db`,
    PORT: String(port),
  };
  try {
    const { origin, warnings, stop } = await startServer({ environment, application });
    for (const warning of warnings) console.warn(`Warning: ${warning}`);
    return {
      origin,
      toTry: [
        `curl -c cookies.txt -X POST ${origin}/api/v1/auth/login -d "username=admin&password=your_admin_password"`,
        `curl -b cookies.txt ${origin}/api/v1/users/me`,
        `curl -b cookies.txt ${origin}/premium   # 403: the administrator is in no tier; grace (seven green kettles) is in pro`,
      ],
      close: () => stop().finally(() => redis?.close()),
    };
  } catch (error) {
    await redis?.close();
    throw error;
  }
};

/** Unless the environment says where sessions are, or where their Redis is. */
function needsRedis({ SESSION_BACKEND = "redis", REDIS_URL, SESSION_HOST }: NodeJS.ProcessEnv): boolean {
  return SESSION_BACKEND === "redis" && REDIS_URL === undefined && SESSION_HOST === undefined;
}

function sessionsIn(redis: Redis | null): Record<string, string> {
  if (redis !== null) {
    console.log(`Sessions are in Redis, at ${redis.url}`);
    return { SESSION_BACKEND: "redis", REDIS_URL: redis.url };
  }
  if (!needsRedis(process.env)) return {};
  console.log("There is no redis-server here: sessions are in the embedded database.");
  return { SESSION_BACKEND: "database" };
}
