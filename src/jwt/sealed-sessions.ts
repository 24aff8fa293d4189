import { createCipheriv, createDecipheriv, createSecretKey, hash, type KeyObject } from "node:crypto";
import type { AuthenticationMethod } from "../domain/session.ts";
import type { SealedSession, SealedSessions, SealingOptions } from "../ports/session-token.ts";
import { recentTokens } from "./recent-tokens.ts";

const algorithm = "aes-256-gcm";
/** Longer cookies are not looked at. */
const longestText = 2_048;
/** The key itself, no key in the token; nonce of 96 bits; ciphertext; tag of 128 bits. */
const shape = /^([A-Za-z0-9_-]+)\.\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{22})$/;

/** Sessions whose seal needs no second look, at least; past twice as many those that rest longest go. */
const remembered = 4_096;

/**
 * Seals sessions as compact JWE, `dir` with `A256GCM`. The header is the same for every token of a key, so that of a stranger is
 * compared and never read: no algorithm or key can come from the token.
 *
 * With Node's own cipher, at once: the one of Web Crypto would wait behind password hashes for its turn in the pool. What was
 * opened is remembered by digest, since a browser sends the same cookie again; that it has not expired is for the caller to see.
 *
 * @see RFC 7516, section 3.1; RFC 7518, sections 4.5 and 5.3
 */
export function sealedSessions({ keys, cookieName, isBound, random }: SealingOptions): SealedSessions {
  const all = keys.map((key) => sealingKey(key, cookieName));
  const byHeader = new Map(all.map((key) => [key.header, key] as const));
  const [first] = all as [SealingKey];
  const recent = recentTokens<SealedSession>(remembered);
  return {
    seal(session) {
      const nonce = random.bytes(12);
      const cipher = createCipheriv(algorithm, first.key, nonce).setAAD(first.aad);
      const sealed = Buffer.concat([
        cipher.update(write(session as SealedSession, isBound), "utf8"),
        cipher.final(),
      ]);
      return `${first.header}..${base64url(nonce)}.${base64url(sealed)}.${base64url(cipher.getAuthTag())}`;
    },
    open(text) {
      if (text.length > longestText) return null;
      const digest = hash("sha256", text, "base64url");
      const known = recent.get(digest);
      if (known !== undefined) return known;
      const [, header = "", nonce = "", sealed = "", tag = ""] = shape.exec(text) ?? [];
      const key = byHeader.get(header);
      if (key === undefined) return null;
      const opened = decrypted(key, { nonce, sealed, tag });
      if (opened === null) return null;
      const session = read(opened);
      recent.add(digest, session);
      return session;
    },
  };
}

/** A key with the header of its tokens. */
interface SealingKey {
  readonly header: string;
  readonly aad: Uint8Array;
  /** Made once: from bytes, each use would pay for making it several times what the cipher costs. */
  readonly key: KeyObject;
}

function sealingKey(bytes: Uint8Array, cookieName: string): SealingKey {
  const header = headerOf(bytes, cookieName);
  return { header, aad: Buffer.from(header, "ascii"), key: createSecretKey(bytes) };
}

function decrypted(
  { key, aad }: SealingKey,
  { nonce, sealed, tag }: { readonly nonce: string; readonly sealed: string; readonly tag: string },
): string | null {
  const bytes = Buffer.from(sealed, "base64url");
  const tagBytes = Buffer.from(tag, "base64url");
  // One spelling for each token: the last character of a part may hold bits that decoding drops.
  if (base64url(bytes) !== sealed || base64url(tagBytes) !== tag) return null;
  const decipher = createDecipheriv(algorithm, key, Buffer.from(nonce, "base64url"))
    .setAAD(aad)
    .setAuthTag(tagBytes);
  const opened = decipher.update(bytes);
  try {
    decipher.final();
    return opened.toString("utf8");
  } catch {
    return null;
  }
}

function headerOf(key: Uint8Array, cookieName: string): string {
  const kid = hash("sha256", key, "base64url").slice(0, 11);
  const header = { alg: "dir", enc: "A256GCM", kid, typ: "session-1", cookie: cookieName };
  return Buffer.from(JSON.stringify(header)).toString("base64url");
}

/** A session in the order of its fields; times in milliseconds. */
type Fields = readonly [
  id: string,
  userId: string,
  generation: number,
  amr: readonly AuthenticationMethod[],
  authTime: number | null,
  isRemembered: boolean,
  createdAt: number,
  lastUsedAt: number,
  idleExpiresAt: number,
  expiresAt: number,
  ip: string | null,
  userAgent: string | null,
];

function write(session: SealedSession, isBound: boolean): string {
  const { id, userId, generation, amr, authTime, isRemembered } = session;
  const [ip, userAgent] = isBound ? [session.ip, session.userAgent] : [null, null];
  const fields: Fields = [
    id,
    userId,
    generation,
    amr,
    authTime?.getTime() ?? null,
    isRemembered,
    session.createdAt.getTime(),
    session.lastUsedAt.getTime(),
    session.idleExpiresAt.getTime(),
    session.expiresAt.getTime(),
    ip,
    userAgent,
  ];
  return JSON.stringify(fields);
}

// Whatever opens was written here: `typ` changes with the fields.
function read(text: string): SealedSession {
  const [id, userId, generation, amr, authTime, isRemembered, ...rest] = JSON.parse(text) as Fields;
  const [createdAt, lastUsedAt, idleExpiresAt, expiresAt, ip, userAgent] = rest;
  return {
    id,
    secretDigest: sealedDigest,
    userId,
    generation,
    amr,
    authTime: authTime === null ? null : new Date(authTime),
    isRemembered,
    createdAt: new Date(createdAt),
    lastUsedAt: new Date(lastUsedAt),
    idleExpiresAt: new Date(idleExpiresAt),
    expiresAt: new Date(expiresAt),
    ip,
    userAgent,
    rotatedFrom: null,
    data: {},
    dataVersion: 0,
    refresh: null,
  };
}

/** In the place of a secret's digest: a sealed session is proven by its seal, and is none that tokens carry. */
const sealedDigest: Uint8Array = new Uint8Array(32).fill(255);

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}
