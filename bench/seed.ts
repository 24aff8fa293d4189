import { createHash, hash } from "node:crypto";
import { type Session, type Stores, sqlite, type User, type Write } from "latchkey";

/** Sessions of one user in a seeded database. */
export const perUser = 5;
const batch = 5_000;

/** The cookie of the n-th seeded session: derived, so that a million of them need not be kept. */
export function seededToken(index: number): string {
  const id = `slot0000${index.toString(36).padStart(16, "0")}`;
  return `${id}.${secret(index)}`;
}

/** Fills a database with sessions, {@link perUser} of each user, through the store itself. */
export async function seed(path: string, sessions: number): Promise<void> {
  const stores = sqlite({ path });
  await seedStores(stores, sessions);
  await stores.directory.close();
}

/** The same through any stores, which stay open. */
export async function seedStores({ directory }: Stores, sessions: number): Promise<void> {
  const now = new Date();
  for (let from = 0; from < sessions; from += batch) {
    const writes: Write[] = [];
    for (let index = from; index < Math.min(sessions, from + batch); index++) {
      if (index % perUser === 0) writes.push({ kind: "user.insert", user: seededUser(index / perUser, now) });
      writes.push({ kind: "session.insert", session: seededSession(index, now), cap: 0, evicted: () => [] });
    }
    const result = await directory.commit(writes, { now, signal: new AbortController().signal });
    if (!result.ok) throw new Error(`seeding was refused: ${result.refused}`);
  }
}

/** The n-th seeded user. */
export function seededUser(number: number, now: Date): User {
  const name = `user${number}`;
  return {
    id: `01900000-0000-7000-8000-${number.toString(16).padStart(12, "0")}`,
    username: name,
    email: `${name}@example.com`,
    emailKey: `${name}@example.com`,
    emailVerified: true,
    name: `User ${number}`,
    status: "active",
    roles: [],
    permissions: [],
    tier: null,
    isSuperuser: false,
    mustChangePassword: false,
    locale: null,
    generation: 1,
    slotTag: "slot0000",
    data: {},
    revokedTokens: [],
    version: 1,
    createdAt: now,
    updatedAt: now,
    deletedAt: null,
  };
}

/** The n-th seeded session; five belong to one user. */
export function seededSession(index: number, now: Date): Session {
  const day = new Date(now.getTime() + 86_400_000);
  return {
    id: seededToken(index).slice(0, 24),
    secretDigest: createHash("sha256").update(secret(index)).digest(),
    userId: `01900000-0000-7000-8000-${Math.floor(index / perUser)
      .toString(16)
      .padStart(12, "0")}`,
    generation: 1,
    authTime: now,
    amr: ["pwd"],
    isRemembered: true,
    createdAt: now,
    lastUsedAt: now,
    idleExpiresAt: day,
    expiresAt: day,
    ip: "127.0.0.1",
    userAgent: "bench",
    rotatedFrom: null,
    data: {},
    dataVersion: 0,
    refresh: null,
  };
}

/** The n-th seeded user with a slot tag of their own, as real ones have it: a cluster spreads them, and an index has them in no order. */
export function spreadUser(number: number, now: Date): User {
  return { ...seededUser(number, now), slotTag: tagOf(number) };
}

/** The n-th seeded session, of a {@link spreadUser}. */
export function spreadSession(index: number, now: Date): Session {
  return { ...seededSession(index, now), id: spreadSessionId(index) };
}

/** The id of the n-th {@link spreadSession}. */
export function spreadSessionId(index: number): string {
  return tagOf(Math.floor(index / perUser)) + base62(`session ${index}`, 16);
}

function tagOf(number: number): string {
  return base62(`user ${number}`, 8);
}

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// As good as random, and the same in every run.
function base62(text: string, length: number): string {
  const bytes = hash("sha256", text, "buffer").subarray(0, length);
  return Array.from(bytes, (byte) => alphabet[byte % alphabet.length]).join("");
}

function secret(index: number): string {
  return createHash("sha256").update(`seeded session ${index}`).digest("base64url");
}
