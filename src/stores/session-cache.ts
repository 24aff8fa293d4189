import type { FoundSession } from "../ports/session-store.ts";
import type { FamilyRow } from "./refresh.ts";
import { familyIn, type SessionRow, sessionOf, type UserRow, userOf } from "./rows.ts";

/**
 * Sessions that were found, with their owners, in as little memory as they fit: what has a fixed width lies in two typed
 * arrays, strings that many share (user agents, methods, owners) are kept once. A session takes at most 400 bytes, its
 * owner about 600 more, once for all their sessions.
 *
 * It knows nothing of time and of other processes: the caller clears it when another connection wrote, and every own write
 * drops what it touches.
 */
export interface SessionCache {
  /** The session as of `nowMs`, or null: ask the database. */
  get(id: string, nowMs: number): FoundSession | null;
  /** Remembers a session and its owner as they were just read. Where it is full, one that was not used lately goes. */
  put(session: SessionRow, owner: UserRow | null): void;
  dropSession(id: string): void;
  /** Drops what is known of a user; their sessions are read again. */
  dropUser(userId: string): void;
  clear(): void;
}

/** One record for all sessions of a user; `row` is null once the user has changed. */
interface Owner {
  readonly id: string;
  row: UserRow | null;
  sessions: number;
}

/** What a cached session has besides numbers and digest. */
interface Rest {
  readonly id: string;
  readonly owner: Owner | null;
  readonly amr: string;
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly rotatedFrom: string | null;
  readonly data: string;
}

const numbersEach = 8;
const digestBytes = 32;
const firstSlots = 256;
const emptyBag = "{}";
/** Different strings that are shared; past it the sharing starts anew. */
const sharedMax = 4_096;

/** An empty cache for at most `capacity` sessions, at least 1. */
export function sessionCache(capacity: number): SessionCache {
  const slots = new Map<string, number>();
  const owners = new Map<string, Owner>();
  const shared = new Map<string, string>();
  // Few sessions have refresh tokens; the others pay nothing for them.
  const families = new Map<number, FamilyRow>();
  let numbers = new Float64Array(0);
  let digests = new Uint8Array(0);
  let wasUsed = new Uint8Array(0);
  let rests: (Rest | undefined)[] = [];
  let free: number[] = [];
  let hand = 0;

  function get(id: string, nowMs: number): FoundSession | null {
    const slot = slots.get(id);
    const rest = slot === undefined ? undefined : rests[slot];
    if (slot === undefined || rest === undefined) return null;
    const { owner } = rest;
    if (owner !== null && owner.row === null) return null;
    wasUsed[slot] = 1;
    const row = rowOf(slot, rest);
    if (nowMs >= Math.min(row[9], row[10])) return { expired: true, id: rest.id, userId: row[2] };
    return { expired: false, session: sessionOf(row), user: owner?.row ? userOf(owner.row) : null };
  }

  function rowOf(slot: number, { id, owner, amr, ip, userAgent, rotatedFrom, data }: Rest): SessionRow {
    const at = slot * numbersEach;
    const number = (offset: number): number => numbers[at + offset] as number;
    const digest = digests.slice(slot * digestBytes, (slot + 1) * digestBytes);
    const authTime = number(1);
    const family = families.get(slot);
    return [
      id,
      digest,
      owner?.id ?? null,
      number(0),
      Number.isNaN(authTime) ? null : authTime,
      amr,
      number(2),
      number(3),
      number(4),
      number(5),
      number(6),
      ip,
      userAgent,
      rotatedFrom,
      data,
      number(7),
      // A copy, as of the other digest: what a caller holds is never what the next caller gets.
      family === undefined ? null : Uint8Array.from(family[0]),
      family?.[1] ?? null,
      family?.[2] ?? null,
    ];
  }

  function put(session: SessionRow, user: UserRow | null): void {
    const [id, digest, , generation, authTime, amr, isRemembered, createdAt, lastUsedAt, ...later] = session;
    const [idleExpiresAt, expiresAt, ip, userAgent, rotatedFrom, data, dataVersion] = later;
    dropSession(id);
    const slot = freeSlot();
    const times = [createdAt, lastUsedAt, idleExpiresAt, expiresAt];
    numbers.set(
      [generation, authTime ?? Number.NaN, isRemembered, ...times, dataVersion],
      slot * numbersEach,
    );
    digests.set(digest, slot * digestBytes);
    wasUsed[slot] = 0;
    rests[slot] = {
      id,
      owner: user === null ? null : ownerOf(user),
      amr: once(amr),
      ip,
      userAgent: userAgent === null ? null : once(userAgent),
      rotatedFrom,
      // Each row brings a string of its own. Most bags are empty, and these are kept as one.
      data: data === emptyBag ? emptyBag : data,
    };
    slots.set(id, slot);
    const family = familyIn(session);
    if (family !== null) families.set(slot, [Uint8Array.from(family[0]), family[1], family[2]]);
  }

  function ownerOf(user: UserRow): Owner {
    const owner = owners.get(user[0]) ?? { id: user[0], row: user, sessions: 0 };
    owner.row = user;
    owner.sessions++;
    owners.set(owner.id, owner);
    return owner;
  }

  function once(text: string): string {
    const known = shared.get(text);
    if (known !== undefined) return known;
    if (shared.size >= sharedMax) shared.clear();
    shared.set(text, text);
    return text;
  }

  function freeSlot(): number {
    const freed = free.pop();
    if (freed !== undefined) return freed;
    if (rests.length < capacity) return newSlot();
    // Second chance: the hand goes round and takes the first that was not used since it came by.
    while (wasUsed[hand] === 1) {
      wasUsed[hand] = 0;
      hand = (hand + 1) % capacity;
    }
    const leaving = rests[hand];
    if (leaving !== undefined) dropSession(leaving.id);
    return free.pop() as number;
  }

  function newSlot(): number {
    const slot = rests.push(undefined) - 1;
    if (slot * digestBytes < digests.length) return slot;
    const length = Math.min(capacity, Math.max(firstSlots, slot * 2));
    numbers = grown(numbers, new Float64Array(length * numbersEach));
    digests = grown(digests, new Uint8Array(length * digestBytes));
    wasUsed = grown(wasUsed, new Uint8Array(length));
    return slot;
  }

  function dropSession(id: string): void {
    const slot = slots.get(id);
    if (slot === undefined) return;
    const owner = rests[slot]?.owner ?? null;
    slots.delete(id);
    families.delete(slot);
    rests[slot] = undefined;
    free.push(slot);
    if (owner === null) return;
    owner.sessions--;
    if (owner.sessions === 0 && owners.get(owner.id) === owner) owners.delete(owner.id);
  }

  return {
    get,
    put,
    dropSession,
    dropUser(userId) {
      const owner = owners.get(userId);
      if (owner === undefined) return;
      owner.row = null;
      owners.delete(userId);
    },
    clear() {
      slots.clear();
      families.clear();
      owners.clear();
      rests = [];
      free = [];
      hand = 0;
    },
  };
}

function grown<T extends Float64Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
