import { own, readJsonObject } from "./json-object.ts";
import { type Jwk, type VerifyingKey, verifyingKeys } from "./keys.ts";

/** The part of `fetch` that is used. */
export type FetchKeys = (
  url: string,
  init: { readonly headers: { accept: string }; readonly redirect: "error"; readonly signal: AbortSignal },
) => Promise<Pick<Response, "ok" | "status" | "body">>;

/** Where keys are fetched from. */
export interface RemoteKeysOptions {
  readonly url: string;
  readonly nowMs: () => number;
  readonly fetch: FetchKeys;
}

/** Keys of somebody else, as they publish them. */
export interface RemoteKeys {
  /** As of the last fetch; empty before the first. The same list for as long as it holds the same keys. */
  current(): readonly VerifyingKey[];
  /** Sees to it that there are keys, not too old. @throws Error where there are none and they cannot be fetched */
  ready(): Promise<void>;
  /** Fetches them again, since a token names one that is not there; does nothing shortly after the last time. */
  again(): Promise<void>;
}

const maxBytes = 65_536;
const timeoutMs = 5_000;
const freshMs = 600_000;
/** Whoever makes up names of keys must not make us fetch. */
const coolDownMs = 30_000;
/** How long keys go on that cannot be fetched again. */
const longestMs = 86_400_000;

/** Makes a set of keys that is fetched when it is needed, by one request at a time. */
export function remoteKeys({ url, nowMs, fetch }: RemoteKeysOptions): RemoteKeys {
  let keys: readonly VerifyingKey[] = [];
  let text = "";
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let triedAt = Number.NEGATIVE_INFINITY;
  let failure: unknown = null;
  let underWay: Promise<void> | null = null;

  const load = async (): Promise<void> => {
    triedAt = nowMs();
    try {
      const found = await fetchSet(url, fetch);
      // The same answer leaves the list as it is: what was verified with it stays known.
      if (found.text !== text) keys = verifyingKeys(found.jwks, { isPublic: true });
      text = found.text;
      fetchedAt = nowMs();
      failure = null;
    } catch (error) {
      failure = error;
    }
  };
  const loadOnce = (): Promise<void> => {
    underWay ??= load().finally(() => {
      underWay = null;
    });
    return underWay;
  };
  return {
    current: () => keys,
    async ready() {
      const age = nowMs() - fetchedAt;
      if (age < freshMs) return;
      // Old keys are good enough while they are fetched again: nobody waits for that.
      const isUsable = age < longestMs;
      if (nowMs() - triedAt >= coolDownMs || (failure === null && !isUsable)) {
        const loading = loadOnce();
        if (!isUsable) await loading;
      } else if (!isUsable) await underWay;
      if (nowMs() - fetchedAt >= longestMs) {
        throw new Error(`the keys at ${url} cannot be had`, { cause: failure });
      }
    },
    async again() {
      if (underWay !== null) await underWay;
      else if (nowMs() - triedAt >= coolDownMs) await loadOnce();
    },
  };
}

interface FetchedSet {
  readonly text: string;
  readonly jwks: readonly Jwk[];
}

async function fetchSet(url: string, fetch: FetchKeys): Promise<FetchedSet> {
  const signal = AbortSignal.timeout(timeoutMs);
  const answer = await fetch(url, { headers: { accept: "application/json" }, redirect: "error", signal });
  if (!answer.ok || answer.body === null) throw new Error(`answered ${answer.status}`);
  const bytes = await readAll(answer.body, signal);
  const set = readJsonObject(bytes);
  const jwks = set === null ? undefined : own(set, "keys");
  if (!Array.isArray(jwks) || !jwks.every((each) => each !== null && typeof each === "object")) {
    throw new Error("answered what is no set of keys");
  }
  return { text: bytes.toString("utf8"), jwks };
}

async function readAll(body: ReadableStream<Uint8Array>, signal: AbortSignal): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    signal.throwIfAborted();
    length += chunk.length;
    if (length > maxBytes) throw new Error(`answered more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
