import type { Context, Hono } from "hono";
import type { ApiKeys, Auth } from "latchkey";
import type { Administration } from "latchkey/administration";
import type { HonoAdapter } from "latchkey/hono";

/** What an application in the server works with. */
export interface ApplicationParts extends Pick<HonoAdapter<Context>, "protect" | "client"> {
  readonly auth: Auth;
  /** `operator` of it may do everything: it creates accounts and tiers without asking whose request it is. */
  readonly administration: Administration;
  readonly apiKeys: ApiKeys;
}

/**
 * An application of one's own in the reference server: the routes that it has besides.
 *
 * Called once, when the stores are open and before the server is ready; accounts and tiers that have to be there are made here. Latchkey's
 * own routes come before those of the application, and the pages after: it may put its own in the place of one. Every answer gets its
 * line in the log and, but for those that it has already, the server's security headers: a page with scripts names them in a
 * `Content-Security-Policy` of its own. What is not found or thrown is answered as the server's own, but for Hono's `HTTPException`,
 * which says itself what is to be answered.
 */
export type Application = (parts: ApplicationParts) => Hono | Promise<Hono>;
