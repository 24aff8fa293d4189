import { type JsonObject, own, readJsonObject } from "./json-object.ts";
import type { RingKey } from "./key-ring.ts";
import type { Jwk } from "./keys.ts";

/** The text of a key file. */
export function keyFileText(keys: readonly RingKey[]): string {
  return `${JSON.stringify({ version: 1, keys }, null, 2)}\n`;
}

/** Reads {@link keyFileText}. @throws TypeError for any other text; nothing of it is in the message */
export function keysOfFile(bytes: Buffer): readonly RingKey[] {
  const file = readJsonObject(bytes);
  const keys = file === null ? undefined : own(file, "keys");
  if (file === null || own(file, "version") !== 1 || !Array.isArray(keys))
    throw new TypeError("is no key file");
  return keys.map(ringKey);
}

function ringKey(value: unknown): RingKey {
  if (value === null || typeof value !== "object") throw new TypeError("holds what is no key");
  const fields = value as JsonObject;
  const jwk = own(fields, "jwk");
  if (jwk === null || typeof jwk !== "object") throw new TypeError("holds a key without jwk");
  const retiresAt = own(fields, "retiresAt");
  return {
    jwk: jwk as Jwk,
    createdAt: time(own(fields, "createdAt")),
    signsFrom: time(own(fields, "signsFrom")),
    retiresAt: retiresAt === null ? null : time(retiresAt),
  };
}

function time(value: unknown): Date {
  const date = new Date(typeof value === "string" ? value : Number.NaN);
  if (Number.isNaN(date.getTime())) throw new TypeError("holds a key without its times");
  return date;
}
