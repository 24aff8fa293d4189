import { hash } from "node:crypto";
import { isLoopback } from "../config/origin.ts";
import type { Log } from "../ports/services.ts";
import { normalizePassword } from "./password-text.ts";

/** Knows passwords that have been published. */
export interface BreachedPasswords {
  /** Whether a password is among them; null where that could not be found out, which the log says. */
  has(password: string, log: Pick<Log, "warn">): Promise<boolean | null>;
}

/** Settings of {@link breachedPasswords}. */
export interface BreachedPasswordsOptions {
  /** Answers `GET <endpoint><5 hex digits>` with lines of `<35 hex digits>:<count>`. Default `https://api.pwnedpasswords.com/range/`. */
  readonly endpoint?: string;
  /** From the first byte sent to the last received, 100 to 10,000. Default 1,500. */
  readonly timeoutMs?: number;
}

/** A padded answer has a thousand lines at most; whoever sends more than this is not who we think. */
const mostBytes = 262_144;

/**
 * Asks a list of published passwords by the first 5 hex digits of the password's SHA-1: some eight hundred passwords share them, and
 * the answer is padded, so neither who runs the list nor who listens learns which one it was. Where the list does not answer in time,
 * the password may be chosen: a service elsewhere must not decide whether anybody can register.
 *
 * @throws TypeError for an endpoint that is not https (http on this machine is)
 * @see https://haveibeenpwned.com/API/v3#SearchingPwnedPasswordsByRange
 */
export function breachedPasswords({
  endpoint = "https://api.pwnedpasswords.com/range/",
  timeoutMs = 1_500,
}: BreachedPasswordsOptions = {}): BreachedPasswords {
  if (!isCallable(endpoint)) throw new TypeError("breachedPasswords: endpoint is an https address");
  if (!Number.isInteger(timeoutMs) || timeoutMs < 100 || timeoutMs > 10_000)
    throw new TypeError("breachedPasswords: timeoutMs is a whole number from 100 to 10,000");
  return {
    async has(password, log) {
      const digest = hash("sha1", normalizePassword(password), "hex").toUpperCase();
      try {
        const answer = await range(`${endpoint}${digest.slice(0, 5)}`, timeoutMs);
        return countOf(answer, digest.slice(5)) > 0;
      } catch (cause) {
        const because = cause instanceof Error ? `${cause.name}: ${cause.message}` : "unknown";
        log.warn("the list of breached passwords could not be asked", { because });
        return null;
      }
    },
  };
}

async function range(url: string, timeoutMs: number): Promise<string> {
  const answer = await fetch(url, {
    headers: { "Add-Padding": "true", "User-Agent": "Latchkey" },
    redirect: "error",
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (answer.status !== 200) {
    await answer.body?.cancel();
    throw new Error(`it answered ${answer.status}`);
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop cancels the rest.
  for await (const chunk of answer.body ?? []) {
    length += chunk.byteLength;
    if (length > mostBytes) throw new Error("its answer is too long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("latin1");
}

// Padding has a count of 0.
function countOf(lines: string, suffix: string): number {
  for (const line of lines.split(/\r?\n/)) {
    const [found = "", count = ""] = line.split(":");
    if (found.toUpperCase() === suffix) return Number(count);
  }
  return 0;
}

function isCallable(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  return protocol === "https:" || (protocol === "http:" && isLoopback(hostname));
}
