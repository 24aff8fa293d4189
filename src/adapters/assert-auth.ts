import type { Auth } from "../auth.ts";

/** Refuses what is no `Auth` where the adapter is made, and not at the first request. @throws TypeError with the fix */
export function assertAuth(adapter: string, auth: Auth): void {
  if (typeof Reflect.get(Object(auth), "check") === "function") return;
  throw new TypeError(`${adapter}: auth is what createAuth gives; write ${adapter}(auth)`);
}
