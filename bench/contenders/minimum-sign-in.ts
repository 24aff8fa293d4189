import { hash, randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { availableParallelism, setPriority } from "node:os";
import { DatabaseSync } from "node:sqlite";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { verifySync } from "@node-rs/argon2";

// The least that a sign-in does by hand: read the body, one prepared read of the account, the hash in a thread at low priority,
// one insert of a session of which only the digest is stored. No limit, no cap, no audit row, no CSRF token, no schema.
if (!isMainThread) work();

interface Job {
  readonly encoded: string;
  readonly password: string;
}

function work(): void {
  setPriority(19);
  parentPort?.on("message", ({ encoded, password }: Job) =>
    parentPort?.postMessage(verifySync(encoded, password)),
  );
}

/** Answers sign-ins over a seeded database. */
export function minimumSignIn(
  path: string,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  const read = database.prepare(
    "SELECT u.id, u.generation, p.encoded FROM users u JOIN passwords p ON p.user_id = u.id WHERE u.username = ? AND u.status = 'active'",
  );
  const insert = database.prepare(
    "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, '[\"pwd\"]', 0, ?, ?, ?, ?, '127.0.0.1', NULL, NULL, '{}', 0)",
  );
  const verify = verifier(availableParallelism());
  return async (request, response) => {
    const { username, password } = JSON.parse(await text(request));
    const user = read.get(username);
    if (user === undefined || !(await verify({ encoded: String(user.encoded), password }))) {
      response.statusCode = 401;
      response.end();
      return;
    }
    const id = randomBytes(12).toString("hex");
    const secret = randomBytes(32).toString("base64url");
    const now = Date.now();
    const digest = hash("sha256", secret, "buffer");
    const ends = now + 1_800_000;
    insert.run(id, digest, String(user.id), Number(user.generation), now, now, now, ends, now + 86_400_000);
    response.setHeader("Set-Cookie", `latchkey=${id}.${secret}; Path=/; HttpOnly; SameSite=Lax`);
    response.setHeader("Cache-Control", "no-store");
    const body = JSON.stringify({ user: { id: user.id, username } });
    response.setHeader("Content-Length", Buffer.byteLength(body));
    response.end(body);
  };
}

function verifier(size: number): (job: Job) => Promise<boolean> {
  const waiting: { readonly job: Job; readonly resolve: (isRight: boolean) => void }[] = [];
  const idle: Worker[] = Array.from({ length: size }, () => new Worker(new URL(import.meta.url)));
  const next = (): void => {
    if (waiting.length === 0 || idle.length === 0) return;
    const worker = idle.pop() as Worker;
    const { job, resolve } = waiting.shift() as (typeof waiting)[number];
    worker.once("message", (isRight: boolean) => {
      idle.push(worker);
      next();
      resolve(isRight);
    });
    worker.postMessage(job);
  };
  return (job) =>
    new Promise((resolve) => {
      waiting.push({ job, resolve });
      next();
    });
}

async function text(request: IncomingMessage): Promise<string> {
  let body = "";
  request.setEncoding("utf8");
  for await (const chunk of request) body += chunk;
  return body;
}
