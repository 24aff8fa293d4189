import type { Pass } from "../flows/following/follow-events.ts";
import { type Following, following } from "../flows/following/following.ts";
import { type WebhookEndpoint, webhookFollower } from "../flows/following/webhook-endpoints.ts";
import type { Feature } from "./feature.ts";

export type { WebhookEndpoint } from "../flows/following/webhook-endpoints.ts";

/** Settings of {@link webhooks}. */
export interface WebhooksOptions {
  /** Each with a name of its own. */
  readonly endpoints: readonly WebhookEndpoint[];
  /** Seconds between two looks for what other processes wrote, at most 3,600; 0 = only when `deliver` is called. Default 5. */
  readonly pollSeconds?: number;
}

/** How an endpoint is doing. */
export interface WebhookStatus {
  readonly name: string;
  readonly url: string;
  /** Position in the audit log up to which it was told; null where it never was. */
  readonly toldSeq: number | null;
  /** What came of the last attempt of this process; null before the first. */
  readonly last: Pass["kind"] | null;
}

/** Webhooks of a set-up. */
export interface Webhooks {
  /** Tells every endpoint what there is to tell, now. The background does so by itself. */
  deliver(): Promise<void>;
  status(): Promise<readonly WebhookStatus[]>;
  /** Forgets how far an endpoint has come that is not configured any more: nothing of the log is kept for it. */
  forget(name: string): Promise<void>;
}

/**
 * Tells other servers of events, signed after Standard Webhooks: each at least once, under an id that stays the same, in the order of
 * the audit log. An endpoint that does not take an event is asked again after 5 s, 10 s and so on up to an hour; the events behind it
 * wait, and so does no other endpoint.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function webhooks({ endpoints, pollSeconds = 5 }: WebhooksOptions): Feature<Webhooks> {
  return {
    name: "webhooks",
    install(services) {
      const { stores, call, commit } = services;
      if (!Number.isInteger(pollSeconds) || pollSeconds < 0 || pollSeconds > 3_600)
        throw new TypeError("webhooks: pollSeconds is a whole number from 0 to 3,600");
      if (new Set(endpoints.map(({ name }) => name)).size < endpoints.length)
        throw new TypeError("webhooks: two endpoints have one name");
      const followed = endpoints.map((endpoint): [WebhookEndpoint, Following] => {
        const ending = new AbortController();
        const follower = webhookFollower(services, endpoint, ending.signal);
        return [endpoint, following(services, follower, { everySeconds: pollSeconds }, () => ending.abort())];
      });
      return {
        api: {
          async deliver() {
            await Promise.all(followed.map(([, each]) => each.pass()));
          },
          status: () =>
            Promise.all(
              followed.map(async ([{ name, url }, each]) => ({
                name,
                url,
                toldSeq: await stores.directory.cursor(`webhook:${name}`, call()),
                last: each.last()?.kind ?? null,
              })),
            ),
          async forget(name) {
            await commit([{ kind: "cursor.delete", name: `webhook:${name}` }]);
          },
        },
        async close() {
          await Promise.all(followed.map(([, each]) => each.stop()));
        },
      };
    },
  };
}
