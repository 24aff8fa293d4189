import type { NextAdapter, NextParts } from "latchkey/next";
import { cookies, headers } from "next/headers";
import { redirect } from "next/navigation";
import { NextResponse } from "next/server";

type Site = (parts: NextParts) => NextAdapter;

// An application says `next(auth, { … })` here; the auth of this one is the test's.
const { [Symbol.for("latchkey.next-app.site")]: site } = globalThis as unknown as Record<
  symbol,
  Site | undefined
>;

// Next loads this for a build as well, which has no auth: pages then stop where they would ask who it is, as with an adapter.
const none = {
  action: () => async () => {},
  protect: () => async () => {},
  proxy: () => async () => {},
  csrfToken: headers,
  principal: headers,
  session: headers,
  current: headers,
};

export const { action, csrfToken, current, principal, protect, proxy, seal, session, visit } =
  site?.({ cookies, headers, redirect, NextResponse }) ?? (none as unknown as NextAdapter);
