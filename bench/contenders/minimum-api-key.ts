import { hash, timingSafeEqual } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { listen } from "./listen.ts";

// The least that a correct check of an API key does by hand: one prepared, joined read, a digest, a constant-time comparison.
const database = new DatabaseSync(process.argv[2] ?? "", { readOnly: true });
const read = database.prepare(`
  SELECT k.secret_digest, k.expires_at, u.status, u.username
  FROM api_keys k JOIN users u ON u.id = k.user_id WHERE k.id = ?`);

listen((request, response) => {
  const header = request.headers["x-api-key"];
  if (typeof header !== "string" || check(header) === null) {
    response.statusCode = 401;
    response.end();
    return;
  }
  response.setHeader("Cache-Control", "no-store");
  response.setHeader("Content-Length", 2);
  response.end("ok");
});

function check(key: string): string | null {
  const match = /^lk_live_([A-Za-z0-9]{16})_([A-Za-z0-9]{43})[A-Za-z0-9]{6}$/.exec(key);
  if (match === null) return null;
  const row = read.get(match[1] ?? "");
  if (row === undefined || row.status !== "active") return null;
  if (row.expires_at !== null && Number(row.expires_at) <= Date.now()) return null;
  const digest = hash("sha256", match[2] ?? "", "buffer");
  return timingSafeEqual(digest, row.secret_digest as Uint8Array) ? String(row.username) : null;
}
