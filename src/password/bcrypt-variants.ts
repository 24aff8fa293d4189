import { createHash, createHmac } from "node:crypto";
import type { Hasher, HasherWork } from "../ports/hasher.ts";
import type { BcryptBounds } from "./bcrypt.ts";

/** A bcrypt hash, and what is done to a password before it. */
interface Stored {
  readonly cost: number;
  readonly encoded: string;
  readonly prepare: (password: string) => string;
}

const end = "(?![\\s\\S])";
const salt = "([./A-Za-z0-9]{22})";
const rest = "([./A-Za-z0-9]{31})";
const django = new RegExp(`^bcrypt(_sha256)?\\$(\\$2[aby]\\$(\\d\\d)\\$${salt}${rest})${end}`);
const passlib = new RegExp(`^\\$bcrypt-sha256\\$v=2,t=(2[by]),r=(\\d\\d?)\\$${salt}\\$${rest}${end}`);
const olderPasslib = new RegExp(`^\\$bcrypt-sha256\\$(2[aby]),(\\d\\d?)\\$${salt}\\$${rest}${end}`);

/**
 * Verifies bcrypt as Django (`bcrypt_sha256$$2b$…`, `bcrypt$$2b$…`) and passlib (`$bcrypt-sha256$…`) write it; a sign-in then
 * replaces it. Bare `$2b$…` is what `bcrypt()` verifies.
 *
 * @throws TypeError for a bound out of range
 */
export function bcryptVariants({ maxCost = 14 }: BcryptBounds = {}): Hasher {
  if (!Number.isInteger(maxCost) || maxCost < 4 || maxCost > 20) {
    throw new TypeError(`bcryptVariants: maxCost must be a whole number from 4 to 20, not ${maxCost}`);
  }
  return {
    id: "bcrypt_variants",
    module: import.meta.url,
    options: {},
    canHash: false,
    dummy: `bcrypt_sha256$$2b$10$${".".repeat(53)}`,
    sample: { encoded: `bcrypt_sha256$$2b$07$${".".repeat(53)}`, share: 9 },
    weakness: null,
    recognises: (encoded) => {
      const cost = parse(encoded)?.cost ?? 0;
      return cost >= 4 && cost <= maxCost;
    },
    isCurrent: () => false,
  };
}

/** Runs in a thread: this implementation is plain JavaScript and would stop the event loop. */
export async function load(): Promise<HasherWork> {
  const { compareSync } = (await import("bcryptjs")).default;
  return {
    verify(encoded, password) {
      const stored = parse(encoded);
      return stored !== null && compareSync(stored.prepare(password), stored.encoded);
    },
  };
}

function parse(encoded: string): Stored | null {
  const [, isDigested, plain = "", djangoCost] = django.exec(encoded) ?? [];
  if (djangoCost !== undefined) {
    const prepare = isDigested === undefined ? asTyped : digested("hex");
    return { cost: Number(djangoCost), encoded: plain, prepare };
  }
  const [, tag, cost, hashedSalt = "", checksum = ""] = passlib.exec(encoded) ?? [];
  if (tag !== undefined) {
    const prepare = (password: string): string =>
      createHmac("sha256", hashedSalt).update(password).digest("base64");
    return { cost: Number(cost), encoded: bare(tag, cost, hashedSalt + checksum), prepare };
  }
  const [, olderTag, olderCost, olderSalt = "", olderChecksum = ""] = olderPasslib.exec(encoded) ?? [];
  if (olderTag === undefined) return null;
  const all = bare(olderTag, olderCost, olderSalt + olderChecksum);
  return { cost: Number(olderCost), encoded: all, prepare: digested("base64") };
}

function bare(tag: string, cost: string | undefined, rest: string): string {
  return `$${tag}$${(cost ?? "").padStart(2, "0")}$${rest}`;
}

function asTyped(password: string): string {
  return password;
}

function digested(encoding: "hex" | "base64"): (password: string) => string {
  return (password) => createHash("sha256").update(password).digest(encoding);
}
