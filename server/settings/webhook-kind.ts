import { isLoopbackHost } from "./address-kinds.ts";
import type { Kind } from "./kind.ts";

/** A server that is told of events, as it is written. */
export interface WebhookAddress {
  readonly url: string;
  readonly secrets: readonly [string, ...string[]];
  /** Whether it is on this machine. */
  readonly isLocal: boolean;
}

/** An address with secrets behind `#`. */
export function webhookUrl(): Kind<string> {
  return {
    accepts: "https://…#whsec_…",
    unit: null,
    read: (text) =>
      webhookAddress(text) === null
        ? {
            ok: false,
            problem: "is no address with a secret",
            fix: "Write one as in https://hooks.example/latchkey#whsec_…, the secret being base64 of 24 to 64 random bytes.",
          }
        : { ok: true, value: text },
  };
}

/** Takes an address and its secrets apart; null for what is none. */
export function webhookAddress(text: string): WebhookAddress | null {
  if (!URL.canParse(text)) return null;
  const { protocol, hostname, username, password, hash } = new URL(text);
  const isLocal = isLoopbackHost(hostname.replace(/^\[(.*)\]$/, "$1"));
  if (protocol !== "https:" && !(protocol === "http:" && isLocal)) return null;
  if (username !== "" || password !== "") return null;
  const [first, ...others] = hash.slice(1).split(";");
  if (first === undefined || ![first, ...others].every(isSecret)) return null;
  return { url: text.slice(0, text.indexOf("#")), secrets: [first, ...others], isLocal };
}

function isSecret(text: string): boolean {
  const bytes = Buffer.from(/^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1] ?? "", "base64").length;
  return bytes >= 24 && bytes <= 64;
}
