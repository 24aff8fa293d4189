import { createHmac } from "node:crypto";

/** Key of an endpoint, out of its secret. */
export type WebhookKey = Uint8Array;

/** What is signed: the same bytes as are sent. */
export interface WebhookMessage {
  readonly id: string;
  /** When this attempt is made. */
  readonly sentAt: Date;
  readonly body: string;
}

const secretShape = /^whsec_([A-Za-z0-9+/]+={0,2})$/;

/**
 * Reads a secret, `whsec_` and base64 of 24 to 64 bytes.
 *
 * @throws TypeError
 * @see Standard Webhooks 1.0.0, "Signature scheme"
 */
export function webhookKey(secret: string): WebhookKey {
  const key = Buffer.from(secretShape.exec(secret)?.[1] ?? "", "base64");
  if (key.length >= 24 && key.length <= 64) return new Uint8Array(key);
  throw new TypeError("webhooks: a secret is whsec_ and base64 of 24 to 64 bytes");
}

/**
 * The three headers of a webhook, signed under every key: a receiver that knows one of them is content, so that a secret can be
 * changed without a gap.
 *
 * @see Standard Webhooks 1.0.0, "Webhook headers"
 */
export function webhookHeaders(
  { id, sentAt, body }: WebhookMessage,
  keys: readonly WebhookKey[],
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(sentAt.getTime() / 1000));
  const signature = (key: WebhookKey): string =>
    `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": keys.map(signature).join(" "),
  };
}
