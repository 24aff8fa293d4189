import { hash, timingSafeEqual } from "node:crypto";
import { type DeviceToken, deviceTtlSeconds, parseDeviceToken } from "../../domain/device.ts";
import { randomBase62, randomSecret } from "../../domain/random.ts";
import type { User } from "../../domain/user.ts";
import type { SessionChange } from "../../ports/change.ts";
import type { Services } from "../../ports/services.ts";
import { limitKey } from "../attempts.ts";
import type { SignIn } from "./start-session.ts";

/** A browser in which this user has signed in before. */
export interface KnownDevice {
  readonly token: DeviceToken;
  readonly record: DeviceRecord;
}

/** What is stored of a browser, under the id in its cookie. */
interface DeviceRecord {
  readonly userId: string;
  /** Base64url SHA-256 of the secret. */
  readonly secretDigest: string;
  /** The user's generation at its last sign-in: a reset ends the browsers of those before. */
  readonly generation: number;
  /** Milliseconds since 1970. */
  readonly rememberedAt: number;
}

type DeviceServices = Pick<Services, "stores" | "call" | "clock" | "random" | "log">;

/** Cookies that are looked at: a sibling domain can plant others beside the real one. */
export const mostDeviceCookies = 3;
/** Sign-ins without a cookie make a record each; a program that keeps none must not fill the store. */
const newPerDay = 20;
const refreshMs = 7 * 86_400_000;

/**
 * The browser that a request comes from, where the user has signed in in it before and no reset has come in between; else null.
 *
 * Does the same work whoever was found, null included: whether an account exists must not show.
 */
export async function knownDevice(
  services: Pick<Services, "stores" | "call">,
  user: User | null,
  cookies: readonly string[],
): Promise<KnownDevice | null> {
  const { ephemeral } = services.stores;
  for (const text of cookies.slice(0, mostDeviceCookies)) {
    const token = parseDeviceToken(text);
    if (token === null) continue;
    const stored = await ephemeral.read(recordKey(token.id), services.call());
    const record = stored === null ? null : (JSON.parse(stored) as DeviceRecord);
    if (record === null || !isSecretOf(record, token) || user === null || record.userId !== user.id) continue;
    if (record.generation !== user.generation && (await isEnded(services, record))) continue;
    return { token, record };
  }
  return null;
}

/**
 * Remembers the browser of a full sign-in. Call it once the session stands: it fails for itself, with a line in the log.
 *
 * @param user - with the generation that the session has
 * @returns for `seal`, beside the session
 */
export async function rememberDevice(
  services: DeviceServices,
  user: User,
  known: KnownDevice | null,
): Promise<Pick<SessionChange, "device">> {
  const { clock, log } = services;
  try {
    const now = clock.now().getTime();
    const record = known?.record;
    if (record?.generation === user.generation && now - record.rememberedAt < refreshMs) return {};
    const token = known?.token ?? (await newToken(services, user));
    if (token === null) return {};
    const secretDigest = digest(token.secret);
    const fresh = { userId: user.id, secretDigest, generation: user.generation, rememberedAt: now };
    await put(services, token.id, fresh);
    return { device: `${token.id}.${token.secret}` };
  } catch (cause) {
    log.error("the browser of a sign-in was not remembered", {}, cause);
    return {};
  }
}

/** A sign-in that stands, with its browser remembered. Does not fail. */
export async function withDevice(
  services: DeviceServices,
  signIn: SignIn,
  cookies: readonly string[] = [],
): Promise<SignIn> {
  const { user, change } = signIn;
  const known = await knownDevice(services, user, cookies).catch(() => null);
  return { ...signIn, change: { ...change, ...(await rememberDevice(services, user, known)) } };
}

/** Ends every browser of a user that signed in before this generation: whoever took over the account may have left one. */
export async function forgetDevices(
  { stores, call }: Pick<Services, "stores" | "call">,
  { id, generation }: Pick<User, "id" | "generation">,
): Promise<void> {
  await stores.ephemeral.put(endedKey(id), String(generation), deviceTtlSeconds, call());
}

/** Forgets one browser. */
export async function forgetDevice(
  { stores, call }: Pick<Services, "stores" | "call">,
  { token }: KnownDevice,
): Promise<void> {
  await stores.ephemeral.remove([recordKey(token.id)], call());
}

async function newToken({ stores, call, random }: DeviceServices, { id }: User): Promise<DeviceToken | null> {
  const limit = { key: limitKey("devices", id), limit: newPerDay, windowSeconds: 86_400 };
  if (!(await stores.ephemeral.reserve([limit], call())).ok) return null;
  const bytes = (length: number): Uint8Array => random.bytes(length);
  return { id: randomBase62(22, bytes), secret: randomSecret(bytes) };
}

async function put(
  { stores, call }: Pick<Services, "stores" | "call">,
  id: string,
  record: DeviceRecord,
): Promise<void> {
  await stores.ephemeral.put(recordKey(id), JSON.stringify(record), deviceTtlSeconds, call());
}

async function isEnded(
  { stores, call }: Pick<Services, "stores" | "call">,
  { userId, generation }: DeviceRecord,
): Promise<boolean> {
  const ended = await stores.ephemeral.read(endedKey(userId), call());
  return ended !== null && generation < Number(ended);
}

function isSecretOf({ secretDigest }: DeviceRecord, { secret }: DeviceToken): boolean {
  return timingSafeEqual(Buffer.from(secretDigest), Buffer.from(digest(secret)));
}

function digest(secret: string): string {
  return hash("sha256", secret, "base64url");
}

function recordKey(id: string): string {
  return `device:${id}`;
}

function endedKey(userId: string): string {
  return `devices-ended:${userId}`;
}
