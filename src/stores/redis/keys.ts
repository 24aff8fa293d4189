import { sessionIdLength, slotTagLength } from "../../domain/session.ts";
import type { OwnerKey } from "../../ports/detached-sessions.ts";

/**
 * Where things lie. What is about one user, or one visitor, has their slot tag in braces and so lies in one slot of a
 * cluster; two users may share a tag by chance, so what is about a user has their id in it too.
 */
export interface Keys {
  /** A session. Null where the id was never handed out by anybody. */
  session(id: string): string | null;
  /** Sorted set of a user's sessions, by when the last of each is gone. */
  index(owner: OwnerKey): string;
  /** Copy of a user. */
  copy(owner: OwnerKey): string;
  /** Fences around a user's copy. */
  fences(owner: OwnerKey): string;
  /** Where the copy of a user lies. */
  whereabouts(userId: string): string;
  value(key: string): string;
  counter(key: string): string;
  /** Keys that lie on many servers, for asking all of them. */
  spread(count: number): readonly string[];
}

const idShape = new RegExp(`^[A-Za-z0-9]{${sessionIdLength}}$`);
const tagShape = new RegExp(`^[A-Za-z0-9]{${slotTagLength}}$`);

/** Keys below a prefix. @throws TypeError - the prefix has braces, which would move the slots */
export function keys(prefix: string): Keys {
  if (typeof prefix !== "string" || /[{}]/.test(prefix))
    throw new TypeError("redis: prefix is a text without braces");
  const ofOwner = (letter: string, { slotTag, userId }: OwnerKey): string => {
    if (!tagShape.test(slotTag)) throw new TypeError("a slot tag has 8 characters of 0-9 A-Z a-z");
    return `${prefix}{${slotTag}}:${letter}:${userId}`;
  };
  return {
    session: (id) => (idShape.test(id) ? `${prefix}{${tagOf(id)}}:s:${restOf(id)}` : null),
    index: (owner) => ofOwner("i", owner),
    copy: (owner) => ofOwner("o", owner),
    fences: (owner) => ofOwner("f", owner),
    whereabouts: (userId) => `${prefix}w:${userId}`,
    value: (key) => `${prefix}v:${key}`,
    counter: (key) => `${prefix}c:${key}`,
    spread: (count) => Array.from({ length: count }, (_, index) => `${prefix}p:${index}`),
  };
}

/** The slot tag that an id begins with. */
export function tagOf(id: string): string {
  return id.slice(0, slotTagLength);
}

/** What follows the slot tag. */
export function restOf(id: string): string {
  return id.slice(slotTagLength);
}
