import { generateKeyPairSync } from "node:crypto";
import { type Jwk, publicJwk, signingKey, thumbprint, type VerifyingKey } from "./keys.ts";

/** What signing keys of ours may be for: an algorithm with a public half. */
export type SigningAlgorithm = "ES256" | "EdDSA";

/** A signing key with its time. */
export interface RingKey {
  /** Private, with `kid` and `alg`. */
  readonly jwk: Jwk;
  readonly createdAt: Date;
  /** Before that it is published, so that everybody who verifies knows it by the time that it signs. */
  readonly signsFrom: Date;
  /** When nothing that it signed is valid any more; null while it is the newest. */
  readonly retiresAt: Date | null;
}

/** The keys of one deployment as they stand at some time. */
export interface KeyRing {
  signing(nowMs: number): VerifyingKey;
  /** Every key that may have signed what is still valid, or will. The same list for as long as it holds the same keys. */
  verifying(nowMs: number): readonly VerifyingKey[];
  /** The public halves of {@link KeyRing.verifying}. */
  published(nowMs: number): readonly Jwk[];
}

/** When a new key takes over, and how long what the old one signed may be valid. */
export interface RotationPlan {
  readonly publishSeconds: number;
  readonly overlapSeconds: number;
}

/** A fresh key, named by its thumbprint. */
export function newRingKey(algorithm: SigningAlgorithm, createdAt: Date, signsFrom: Date): RingKey {
  const { privateKey, publicKey } =
    algorithm === "EdDSA"
      ? generateKeyPairSync("ed25519")
      : generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = { ...privateKey.export({ format: "jwk" }), alg: algorithm, kid: thumbprint(publicKey) };
  return { jwk, createdAt, signsFrom, retiresAt: null };
}

/** The keys with another that takes over after `publishSeconds`; those that have retired by `now` are gone. */
export function rotated(
  keys: readonly RingKey[],
  algorithm: SigningAlgorithm,
  now: Date,
  { publishSeconds, overlapSeconds }: RotationPlan,
): readonly [...RingKey[], RingKey] {
  const signsFrom = new Date(now.getTime() + publishSeconds * 1000);
  const retiresAt = new Date(signsFrom.getTime() + overlapSeconds * 1000);
  const kept = keys.filter((key) => key.retiresAt === null || key.retiresAt > now);
  const others = kept.map((key) => (key.retiresAt === null ? { ...key, retiresAt } : key));
  return [...others, newRingKey(algorithm, now, signsFrom)];
}

/** A ring over keys. @throws TypeError - none, one that cannot be used, two of one name */
export function keyRing(keys: readonly RingKey[]): KeyRing {
  const all = keys
    .map((each) => ({ ...each, key: signingKey(each.jwk) }))
    .sort((left, right) => left.signsFrom.getTime() - right.signsFrom.getTime());
  const [oldest] = all;
  if (oldest === undefined) throw new TypeError("there is no signing key");
  if (new Set(all.map(({ key }) => key.keyId)).size < all.length)
    throw new TypeError("two keys have one kid");
  let verifying: readonly VerifyingKey[] = [];
  let verifyingUntilMs = 0;
  const inUse = (nowMs: number) =>
    all.filter(({ retiresAt }) => retiresAt === null || retiresAt.getTime() > nowMs);
  return {
    signing: (nowMs) => (all.findLast(({ signsFrom }) => signsFrom.getTime() <= nowMs) ?? oldest).key,
    verifying(nowMs) {
      if (nowMs < verifyingUntilMs) return verifying;
      const current = inUse(nowMs);
      verifying = current.map(({ key }) => key);
      verifyingUntilMs = Math.min(
        ...current.map(({ retiresAt }) => retiresAt?.getTime() ?? Number.MAX_VALUE),
      );
      return verifying;
    },
    published: (nowMs) => inUse(nowMs).map(({ key }) => publicJwk(key)),
  };
}
