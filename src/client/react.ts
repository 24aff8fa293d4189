import type { Client, SessionState } from "./client.ts";
import type { ClientUser } from "./wire.ts";

/** What is used of React 18 and later, so that React itself is no dependency. */
export interface ReactStore {
  useSyncExternalStore<T>(
    subscribe: (changed: () => void) => () => void,
    snapshot: () => T,
    serverSnapshot?: () => T,
  ): T;
}

/** Hooks of one client. */
export interface SessionHooks {
  /** Who is signed in; the component is drawn anew when that changes. */
  useSession(): SessionState;
  /** The user, or null while nobody is signed in or nothing is known yet. */
  useUser(): ClientUser | null;
}

/**
 * Hooks for React, of the application's own copy of it.
 *
 * ```ts
 * import * as React from "react";
 * export const { useSession, useUser } = sessionHooks(client, React);
 * ```
 */
export function sessionHooks(
  { session }: Pick<Client, "session">,
  { useSyncExternalStore }: ReactStore,
): SessionHooks {
  // What a server draws nobody has asked for yet, and the first drawing in the browser has to be the same.
  const onServer: SessionState = { status: "unknown", user: null };
  const useSession = (): SessionState => useSyncExternalStore(session.subscribe, session.get, () => onServer);
  return { useSession, useUser: () => useSession().user };
}
