import type { AuthEvent, EventType } from "../domain/event.ts";
import type { Following } from "../flows/following/following.ts";
import type { Services } from "../ports/services.ts";

/** What a follower is told, and from where on. */
export interface FollowOptions {
  /** Default: all. */
  readonly types?: readonly EventType[];
  /** For a name that was never followed. `now`: what happens from then on; `beginning`: every row that is kept. Default `now`. */
  readonly from?: "beginning" | "now";
}

/** Those who are told of events at least once, whatever dies when. */
export interface EventFollowers {
  /**
   * Tells `listener` every event at least once, in the order of the audit log, also after a crash: how far it has come is kept in the
   * directory. An event is taken when what the listener returns resolves; where it throws, the event is told again after 5 s, 10 s
   * and so on up to an hour, and those behind it wait. `event.id` stays the same.
   *
   * Of several processes that follow under one name, one at a time is told.
   *
   * @param name - 1 to 64 of `a-z 0-9 . _ -`; the same after a restart
   * @returns ends it; resolves when the event under way has come to its end
   * @throws TypeError for a name that cannot be used, or that is followed already
   */
  follow(name: string, listener: (event: AuthEvent) => unknown, options?: FollowOptions): () => Promise<void>;
  /** Forgets how far a follower has come: nothing of the log is kept for it any more. */
  unfollow(name: string): Promise<void>;
}

/** Seconds between two looks for what other processes wrote. */
const pollSeconds = 5;
const nameShape = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** The followers of a set-up, and their end. */
export function bindFollowers(services: Services): EventFollowers & { close(): Promise<void> } {
  const running = new Map<string, Promise<Following>>();

  async function end(name: string): Promise<void> {
    const following = running.get(name);
    running.delete(name);
    await (await following)?.stop();
  }

  return {
    follow(name, listener, { types, from = "now" } = {}) {
      if (!nameShape.test(name)) throw new TypeError(`events.follow: ${JSON.stringify(name)} is no name`);
      if (running.has(name)) throw new TypeError(`events.follow: ${name} is followed already`);
      const follower = {
        name: `listener:${name}`,
        types: types === undefined ? null : new Set(types),
        from,
        deliver: async (event: AuthEvent) => void (await listener(event)),
      };
      // Loaded by who follows: a set-up that does not pays nothing for it.
      const begun = import("../flows/following/following.ts").then(({ following }) =>
        following(services, follower, { everySeconds: pollSeconds }),
      );
      running.set(name, begun);
      return () => end(name);
    },
    async unfollow(name) {
      await end(name);
      await services.commit([{ kind: "cursor.delete", name: `listener:${name}` }]);
    },
    async close() {
      await Promise.all([...running.keys()].map(end));
    },
  };
}
