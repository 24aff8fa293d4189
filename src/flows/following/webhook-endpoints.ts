import type { AuthEvent, EventType } from "../../domain/event.ts";
import { wireEvent } from "../../domain/event-wire.ts";
import type { Services } from "../../ports/services.ts";
import { post } from "../../webhooks/post.ts";
import { type WebhookKey, webhookHeaders, webhookKey } from "../../webhooks/sign.ts";
import type { Follower } from "./follow-events.ts";

/** Somebody else's server that is told of events. */
export interface WebhookEndpoint {
  /** What its place in the log is kept under: 1 to 64 of `a-z 0-9 . _ -`. Another name is another endpoint. */
  readonly name: string;
  /** https; http only with `allowsPrivateAddresses`. */
  readonly url: string;
  /** `whsec_` and base64 of 24 to 64 random bytes. Several: each message is signed under all, while a new one is brought in. */
  readonly secret: string | readonly [string, ...string[]];
  /** Default: all events. */
  readonly types?: readonly EventType[];
  /** For an endpoint that is new: `now`, or `beginning` for every row that is kept. Default `now`. */
  readonly from?: "now" | "beginning";
  /** Whether the host may have an address of our own networks, or of this machine. Default false. */
  readonly allowsPrivateAddresses?: boolean;
  /** From the first byte sent to the last received, 1 to 30. Default 15. */
  readonly timeoutSeconds?: number;
}

/** An answer that does not take the event. */
export class NotTaken extends Error {
  override readonly name = "NotTaken";
  readonly status: number;
  /** As the endpoint asks for it; null where it does not. */
  readonly retryAfterSeconds: number | null;

  constructor(status: number, retryAfterSeconds: number | null) {
    super(`the endpoint answered ${status}`);
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/**
 * An endpoint as a follower: an event is taken when the answer is of 200 to 299.
 *
 * @param signal - gives up the attempt under way
 * @throws TypeError naming what of it cannot be used
 */
export function webhookFollower(
  { clock }: Pick<Services, "clock">,
  endpoint: WebhookEndpoint,
  signal: AbortSignal,
): Omit<Follower, "isStopping"> {
  const keys = checked(endpoint);
  const { name, url, types, from = "now", timeoutSeconds = 15, allowsPrivateAddresses = false } = endpoint;
  return {
    name: `webhook:${name}`,
    types: types === undefined ? null : new Set(types),
    from,
    async deliver(event) {
      const body = webhookBody(event);
      const signed = webhookHeaders({ id: event.id, sentAt: clock.now(), body }, keys);
      const headers = { ...signed, "Content-Type": "application/json", "User-Agent": "Latchkey" };
      const timeoutMs = timeoutSeconds * 1000;
      const answer = await post({ url, headers, body, timeoutMs, allowsPrivateAddresses, signal });
      if (answer.status < 200 || answer.status > 299)
        throw new NotTaken(answer.status, answer.retryAfterSeconds);
    },
  };
}

/** What is sent: `{ type, timestamp, id, user_id, session_id, ip, user_agent, request_id, data }`. */
export function webhookBody(event: AuthEvent): string {
  return JSON.stringify(wireEvent(event));
}

function checked({
  name,
  url,
  secret,
  allowsPrivateAddresses,
  timeoutSeconds = 15,
}: WebhookEndpoint): WebhookKey[] {
  const wrong = (what: string): TypeError => new TypeError(`webhooks: ${name}: ${what}`);
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(name)) throw wrong("its name is 1 to 64 of a-z 0-9 . _ -");
  if (!URL.canParse(url)) throw wrong("its url is none");
  const { protocol, username, password, hash } = new URL(url);
  if (protocol !== "https:" && !(protocol === "http:" && allowsPrivateAddresses === true))
    throw wrong("its url is https; http is for allowsPrivateAddresses alone");
  if (username !== "" || password !== "" || hash !== "") throw wrong("its url has no user, password or #");
  if (!Number.isInteger(timeoutSeconds) || timeoutSeconds < 1 || timeoutSeconds > 30)
    throw wrong("timeoutSeconds is a whole number from 1 to 30");
  return [secret].flat().map(webhookKey);
}
