import { isLoopback } from "../config/origin.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { ProviderRefusal } from "./refusal.ts";

/** Bounds of one call to a provider. */
export interface CallBounds {
  /** From the first byte sent to the last received. */
  readonly timeoutMs: number;
  /** Of the body as read, so after decompression. */
  readonly maxBytes: number;
  /** Default null: nobody measures. */
  readonly telemetry?: Telemetry | null;
}

/** Whether an address may be called: https, or in tests http on this machine. */
export function isCallable(address: string, allowsHttp: boolean): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === "https:" || (allowsHttp && protocol === "http:" && isLoopback(hostname));
}

/** The part of `fetch` that calls to providers use. */
export type BoundedFetch = (url: string, options: RequestInit) => Promise<Response>;

/**
 * `fetch` that reads the whole answer within bounds and follows no redirect: who answers for a provider could else hold our
 * requests and our memory, or send us to addresses that only we can reach.
 *
 * @see OWASP Server-Side Request Forgery Prevention Cheat Sheet
 */
export function boundedFetch(bounds: CallBounds, allowsHttp: boolean): BoundedFetch {
  const { telemetry = null } = bounds;
  const call = unmeasured(bounds, allowsHttp);
  if (telemetry === null) return call;
  return (url, options) =>
    telemetry.during({ kind: "call", name: new URL(url).host }, async (end) => {
      try {
        const answer = await call(url, options);
        end("ok");
        return answer;
      } catch (thrown) {
        end(thrown instanceof ProviderRefusal ? thrown.reason : "failed");
        throw thrown;
      }
    });
}

function unmeasured({ timeoutMs, maxBytes }: CallBounds, allowsHttp: boolean): BoundedFetch {
  return async (url, options) => {
    if (!isCallable(url, allowsHttp)) throw new ProviderRefusal("endpoint_insecure");
    const late = AbortSignal.timeout(timeoutMs);
    const signal = options.signal ? AbortSignal.any([options.signal, late]) : late;
    try {
      const answer = await fetch(url, { ...options, redirect: "manual", signal });
      if (answer.status >= 300 && answer.status < 400) {
        await answer.body?.cancel();
        throw new ProviderRefusal("redirected");
      }
      const body = await readWithin(answer, maxBytes);
      const { status, headers } = answer;
      return new Response(hasBody(status) ? body : null, { status, headers });
    } catch (cause) {
      if (cause instanceof ProviderRefusal) throw cause;
      throw new ProviderRefusal(signal.aborted ? "timeout" : "unreachable", { cause });
    }
  };
}

async function readWithin({ body }: Response, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop cancels the rest.
  for await (const chunk of body ?? []) {
    length += chunk.byteLength;
    if (length > maxBytes) throw new ProviderRefusal("too_large");
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks, length));
}

function hasBody(status: number): boolean {
  return status !== 204 && status !== 205 && status >= 200;
}
