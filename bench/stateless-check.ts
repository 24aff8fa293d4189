import { hkdfSync } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAuth, sqlite } from "latchkey";
import { contender, contest } from "./contest.ts";
import type { Effort } from "./effort.ts";
import { perUser, seededUser, seedStores } from "./seed.ts";
import { checkRequest } from "./session-check.ts";
import { statelessOptions } from "./stateless-options.ts";
import type { Row } from "./table.ts";

const sessions = 1_000;

/** Checks of sessions that their cookie holds, as a share of a server that checks nothing, in one run, contenders alternating. */
export async function statelessCheck(effort: Effort): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-bench-"));
  const path = join(folder, "users.db");
  try {
    const requests = (await startAll(path)).map(checkRequest);
    const contenders = await Promise.all([
      contender("bare node:http", ["bare.ts"], requests),
      contender("minimum: opened, nobody looked up", ["minimum-stateless.ts", derivedKey()], requests),
      contender("Latchkey, the account read at each", ["latchkey-stateless.ts", path], requests),
    ]);
    return await contest(effort, contenders, {}, "stateless check");
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function startAll(path: string): Promise<readonly string[]> {
  const stores = sqlite({ path });
  const auth = createAuth({ ...statelessOptions, stores });
  const now = new Date();
  await seedStores(stores, sessions);
  const tokens: string[] = [];
  for (let index = 0; index < sessions; index++) {
    const { id } = seededUser(Math.floor(index / perUser), now);
    const { session } = (await auth.sessions.start(id, { isRemembered: true })).change;
    if (typeof session !== "object") throw new Error("no session was started");
    tokens.push(session.token);
  }
  await auth.close();
  return tokens;
}

function derivedKey(): string {
  const [secret] = statelessOptions.secrets;
  return Buffer.from(hkdfSync("sha256", secret, "", "latchkey/1/sealed-session", 32)).toString("base64url");
}
