import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAuth, sqlite } from "latchkey";
import { contender, contest } from "./contest.ts";
import type { Effort } from "./effort.ts";
import { perUser, seed, seededToken, seededUser } from "./seed.ts";
import type { Row } from "./table.ts";
import { hmacKey, tokenBench, tokensFeature } from "./token-bench.ts";

/** Few sessions, and more tokens of them than are remembered: in turn, each is new when it comes. */
const sessions = 1_000;
const manyTokens = 30_000;

/** Checks of access tokens per second as a share of a server that checks nothing. */
export async function jwtCheck(effort: Effort): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-bench-"));
  try {
    return [
      ...(await compare(effort, "HS256", folder, "")),
      ...(await compare(effort, "EdDSA", folder, join(folder, "keys.json"))),
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function compare(
  effort: Effort,
  algorithm: "HS256" | "EdDSA",
  folder: string,
  keyFile: string,
): Promise<readonly Row[]> {
  const path = join(folder, `${algorithm}.db`);
  await seed(path, sessions);
  const { requests, key } = await issued(path, keyFile);
  const seen = requests.slice(0, sessions);
  const contenders = await Promise.all([
    contender("bare node:http", ["bare.ts"], seen),
    contender("raw verification", ["raw-jwt.ts", algorithm, key], seen),
    contender("Latchkey, token seen before", ["latchkey-jwt.ts", path, keyFile], seen),
    contender("Latchkey, new token", ["latchkey-jwt.ts", path, keyFile], requests),
  ]);
  return contest(effort, contenders, { algorithm });
}

/** Requests with tokens of the seeded sessions, and the key that verifies them. */
async function issued(path: string, keyFile: string): Promise<{ requests: readonly string[]; key: string }> {
  const feature = tokensFeature(keyFile);
  const auth = createAuth({ ...tokenBench, stores: sqlite({ path }), features: [feature] });
  const { issue, publicKeys } = auth.use(feature);
  const now = new Date();
  const requests: string[] = [];
  for (let index = 0; index < manyTokens; index++) {
    const session = index % sessions;
    const { id } = seededUser(Math.floor(session / perUser), now);
    const { accessToken } = await issue(id, { sessionId: seededToken(session).slice(0, 24) });
    requests.push(`GET /checked HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${accessToken}\r\n\r\n`);
  }
  const [publicKey] = publicKeys();
  await auth.close();
  return { requests, key: publicKey === undefined ? hmacKey() : JSON.stringify(publicKey) };
}
