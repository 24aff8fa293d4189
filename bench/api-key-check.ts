import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { apiKeys, createAuth, signedInAs, sqlite } from "latchkey";
import { contender, contest } from "./contest.ts";
import type { Effort } from "./effort.ts";
import { seededUser, seedStores } from "./seed.ts";
import type { Row } from "./table.ts";

const users = 200;
const keysOfEach = 5;

/** Checks of API keys per second as a share of a server that checks nothing, in one run, contenders alternating. */
export async function apiKeyCheck(effort: Effort): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-bench-"));
  const path = join(folder, "keys.db");
  try {
    const plain = (await seedKeys(path, {})).map(checkRequest);
    const limited = (await seedKeys(path, { perDay: 1_000_000_000 })).map(checkRequest);
    const contenders = await Promise.all([
      contender("bare node:http", ["bare.ts"], plain),
      contender("minimum, 1,000 keys", ["minimum-api-key.ts", path], plain),
      contender("Latchkey, 1,000 keys", ["latchkey.ts", path], plain),
      contender("Latchkey, 1,000 keys with a limit a day", ["latchkey.ts", path], limited),
    ]);
    return await contest(effort, contenders, {}, "API key check");
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Makes keys by the feature itself: no text of a key can be derived from what is stored. */
async function seedKeys(path: string, limits: { readonly perDay?: number }): Promise<readonly string[]> {
  const keys = apiKeys();
  const stores = sqlite({ path });
  const auth = createAuth({
    origin: "http://localhost:3000",
    secrets: ["a secret of the benchmark, 32 bytes and more"],
    stores,
    features: [keys],
  });
  const now = new Date();
  if ((await auth.users.find(seededUser(0, now).id)) === null) await seedStores(stores, users * 5);
  const texts: string[] = [];
  for (let number = 0; number < users; number++) {
    const proof = { via: "session", amr: [], authTime: now, sessionId: null, scopes: null };
    const owner = signedInAs(seededUser(number, now), proof);
    for (let index = 0; index < keysOfEach; index++)
      texts.push((await auth.use(keys).create(owner, { name: "bench", limits })).key);
  }
  await auth.close();
  return texts;
}

function checkRequest(key: string): string {
  return `GET /checked HTTP/1.1\r\nHost: localhost\r\nX-API-Key: ${key}\r\n\r\n`;
}
