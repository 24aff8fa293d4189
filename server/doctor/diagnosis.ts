import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import type { Settings } from "../settings/settings.ts";

/** The path at which a running server tells the doctor what it sees. */
export const diagnosisPath = "/doctor";
/** The header with the proof of the secret. */
export const proofHeader = "latchkey-doctor";

/** How far the doctor's clock may be from the server's; what is seen later is of no use to anybody. */
const longestProofMs = 600_000;

/** What a server says of itself; wire spelling. */
export interface DiagnosisDocument {
  readonly version: string;
  readonly origin: string;
  readonly time: string;
  /** Stands for the settings. */
  readonly settings_mark: string;
  readonly peer: string;
  readonly forwarded_for: string | null;
  readonly client: string | null;
  readonly other_forwarding: readonly string[];
}

/** What {@link diagnosis} works with. */
export interface DiagnosisParts {
  readonly secrets: readonly string[];
  readonly settings: Settings;
  readonly origin: string;
  readonly version: string;
  readonly now?: () => Date;
}

/** One request, as the server sees it. */
export interface SeenRequest {
  readonly headers: Pick<Headers, "get">;
  readonly peer: string;
  /** Who the server takes the client for. */
  readonly client: string | null;
}

/**
 * Answers the doctor: what the server is, and what it sees of the request. Null for whoever does not prove the secret, so that the
 * path is to them as any other that is not there.
 */
export function diagnosis(parts: DiagnosisParts): (seen: SeenRequest) => DiagnosisDocument | null {
  const { secrets, settings, origin, version, now = () => new Date() } = parts;
  const keys = secrets.map(keyOf);
  return ({ headers, peer, client }) => {
    const at = now();
    const [key] = keys.filter((each) => isProof(headers.get(proofHeader), each, at));
    if (key === undefined) return null;
    return {
      version,
      origin,
      time: at.toISOString(),
      settings_mark: settingsMark(settings, key),
      peer,
      forwarded_for: headers.get("x-forwarded-for"),
      client,
      other_forwarding: ["forwarded", "x-real-ip", "cf-connecting-ip", "true-client-ip"].filter(
        (name) => headers.get(name) !== null,
      ),
    };
  };
}

/** Proof of a secret, good for ten minutes; it gives access to nothing but {@link diagnosis}. */
export function proofOf(secret: string, at: Date): string {
  return `${at.getTime()}.${mac(keyOf(secret), `proof ${at.getTime()}`).toString("base64url")}`;
}

/** Stands for settings without telling them: two are the same exactly where the settings are. */
export function markOf(settings: Settings, secret: string): string {
  return settingsMark(settings, keyOf(secret));
}

function settingsMark(settings: Settings, key: Buffer): string {
  // How strict a start was says nothing about what was started.
  const { isProduction: _, isStrict: __, ...others } = settings;
  return mac(key, `settings ${JSON.stringify(others)}`).toString("base64url");
}

function isProof(given: string | null, key: Buffer, now: Date): boolean {
  const [, time = "", proof = ""] = /^(\d{1,15})\.([A-Za-z0-9_-]{43})$/.exec(given ?? "") ?? [];
  if (time === "" || Math.abs(now.getTime() - Number(time)) > longestProofMs) return false;
  return timingSafeEqual(mac(key, `proof ${time}`), Buffer.from(proof, "base64url"));
}

function mac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

function keyOf(secret: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "", "latchkey-server/1/doctor", 32));
}
