import type { Auth } from "latchkey";

/** Prints who comes and goes. Listeners are called once the change is committed. */
export function printEvents({ events }: Auth, print: (line: string) => void = console.log): void {
  events.on("user.logged_in", ({ userId, createdAt }) =>
    print(`User ${userId} logged in at ${createdAt.toISOString()}`),
  );
  // By the user's own doing alone.
  events.on("user.logged_out", ({ userId, createdAt }) =>
    print(`User ${userId} logged out at ${createdAt.toISOString()}`),
  );
  // Once for each session, by the check or the cleanup that comes upon it.
  events.on("session.expired", ({ userId, sessionId }) =>
    print(`Session ${sessionId} of user ${userId} expired`),
  );
}
