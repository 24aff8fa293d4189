import type { Proof, Send } from "./proof.ts";
import { isObject, readResult } from "./result.ts";
import type { TokenAnswer } from "./wire.ts";

/** Tokens as a storage keeps them. */
export interface StoredTokens {
  readonly accessToken: string;
  /** Null where the server gives none. */
  readonly refreshToken: string | null;
  /** Milliseconds since the epoch, by this machine's clock. */
  readonly expiresAt: number;
}

/** Where tokens lie between requests. Whatever scripts of the page can read, a script that was smuggled in can steal. */
export interface TokenStorage {
  get(): StoredTokens | null;
  set(tokens: StoredTokens | null): void;
}

/** Tokens in memory alone: a reload signs out. */
export function memoryTokens(): TokenStorage {
  let tokens: StoredTokens | null = null;
  return {
    get: () => tokens,
    set: (next) => {
      tokens = next;
    },
  };
}

/** What {@link bearerProof} is told. */
export interface BearerOptions {
  readonly refreshUrl: string;
  readonly storage: TokenStorage;
  /** Runs `work` while nobody else of this browser does: the tabs of a page share a storage. */
  readonly alone: <T>(work: () => Promise<T>) => Promise<T>;
  readonly now: () => number;
}

/** Refreshed that long before they expire: clocks differ, and requests take their time. */
const earlyMs = 10_000;

/**
 * Access and refresh tokens. However many requests find the access token expired, one refreshes it and all wait for it; of
 * several tabs with one storage, one. What is refused as no proof is refreshed and sent once more.
 */
export function bearerProof({ refreshUrl, storage, alone, now }: BearerOptions): Proof {
  let refreshing: Promise<void> | null = null;

  async function refresh(send: Send, refused: string): Promise<void> {
    const tokens = storage.get();
    // Another tab was faster, or signed out.
    if (tokens === null || tokens.accessToken !== refused || tokens.refreshToken === null) return;
    const body = JSON.stringify({ refresh_token: tokens.refreshToken });
    const headers = { "Content-Type": "application/json" };
    const init = { method: "POST", body, headers, credentials: "omit" } as const;
    const { data, error } = await readResult<TokenAnswer>(await send(refreshUrl, init));
    // Somebody signed in or out while the answer was on its way: it is about who was there before.
    if (storage.get()?.accessToken !== refused) return;
    if (data !== null) keep(data);
    // Refused for good; a server that does not answer has refused nothing.
    else if (error.status !== null && error.status < 500 && error.status !== 429) storage.set(null);
  }

  function refreshOnce(send: Send, refused: string): Promise<void> {
    refreshing ??= alone(() => refresh(send, refused)).finally(() => {
      refreshing = null;
    });
    return refreshing;
  }

  function keep({ access_token, refresh_token, expires_in }: TokenAnswer): void {
    storage.set({
      accessToken: access_token,
      refreshToken: refresh_token ?? storage.get()?.refreshToken ?? null,
      expiresAt: now() + expires_in * 1000,
    });
  }

  const withToken = (init: RequestInit): RequestInit => {
    const headers = new Headers(init.headers);
    const tokens = storage.get();
    if (tokens !== null) headers.set("Authorization", `Bearer ${tokens.accessToken}`);
    return { ...init, headers, credentials: "omit" };
  };

  return {
    heard(body) {
      if (isObject(body) && typeof body.access_token === "string") keep(body as unknown as TokenAnswer);
    },
    forget: () => storage.set(null),
    async send(url, init, send) {
      const tokens = storage.get();
      if (tokens === null) return send(url, withToken(init));
      if (tokens.expiresAt - earlyMs <= now()) await refreshOnce(send, tokens.accessToken);
      const used = storage.get()?.accessToken;
      const first = await send(url, withToken(init));
      if (first.status !== 401 || used === undefined || init.body instanceof ReadableStream) return first;
      await refreshOnce(send, used);
      const next = storage.get()?.accessToken;
      return next === undefined || next === used ? first : send(url, withToken(init));
    },
  };
}
