import type { User } from "../domain/user.ts";
import type { ClientInfo } from "./request.ts";
import type { Awaitable } from "./store.ts";

/** Something that is about to happen, after every check of Latchkey's own. */
export type Intent =
  | { readonly kind: "register"; readonly user: User; readonly client: ClientInfo }
  | { readonly kind: "login"; readonly user: User; readonly client: ClientInfo };

/** May veto a registration or a sign-in before it happens: a sentence for the person refuses, null lets it pass. */
export type Policy = (intent: Intent) => Awaitable<string | null>;
