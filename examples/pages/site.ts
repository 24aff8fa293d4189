import type { Context } from "hono";
import type { Auth, Principal, SignedIn, Visit } from "latchkey";
import type { HonoHandler } from "latchkey/hono";
import type { Layout } from "./views/layout.ts";

/** What views work with. */
export interface Site {
  readonly auth: Auth;
  /** The request as Latchkey's flows take it. */
  readonly visit: (c: Context) => Visit;
  readonly layout: Layout;
}

/** Answers with a page that anybody may see. */
export type Show = HonoHandler<Context, Principal>;
/** Answers with a page for who is signed in. */
export type ShowMember = HonoHandler<Context, SignedIn>;

/** A page with a form. */
export interface View {
  readonly show: Show;
  readonly submit: Show;
}
