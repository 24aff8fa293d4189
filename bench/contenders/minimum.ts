import { hash, timingSafeEqual } from "node:crypto";
import type { RequestListener } from "node:http";
import { DatabaseSync } from "node:sqlite";
import { listen } from "./listen.ts";

// The least that a correct session check does by hand: one prepared, joined read, a digest, a constant-time comparison.
const database = new DatabaseSync(process.argv[2] ?? "", { readOnly: true });
const read = database.prepare(`
  SELECT s.secret_digest, s.idle_expires_at, s.expires_at, s.generation, u.generation AS user_generation, u.status, u.username
  FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ?`);

let signIn: RequestListener | null = null;

listen(async (request, response) => {
  if (request.method === "POST") {
    signIn ??= (await import("./minimum-sign-in.ts")).minimumSignIn(process.argv[2] ?? "");
    return signIn(request, response);
  }
  const username = check(request.headers.cookie ?? "");
  if (username === null) {
    response.statusCode = 401;
    response.end();
    return;
  }
  response.setHeader("Cache-Control", "no-store");
  response.setHeader("Content-Length", 2);
  response.end("ok");
});

function check(cookie: string): string | null {
  const match = /(?:^|; )latchkey=([A-Za-z0-9]{24})\.([A-Za-z0-9_-]{43})(?:;|$)/.exec(cookie);
  if (match === null) return null;
  const row = read.get(match[1] ?? "");
  if (row === undefined) return null;
  const now = Date.now();
  if (Number(row.idle_expires_at) <= now || Number(row.expires_at) <= now) return null;
  if (row.status !== "active" || row.generation !== row.user_generation) return null;
  const digest = hash("sha256", match[2] ?? "", "buffer");
  return timingSafeEqual(digest, row.secret_digest as Uint8Array) ? String(row.username) : null;
}
