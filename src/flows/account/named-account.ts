import { identifier, isMailboxOf } from "../../domain/identifier.ts";
import type { User } from "../../domain/user.ts";
import type { Services } from "../../ports/services.ts";

/**
 * The account of this username or e-mail address, whatever its status; null where there is none.
 *
 * An account whose address is another mailbox is not the one that was named, though the two have one key: whoever registers
 * `boss@gmaıl.com` in time would else be given what is meant for `boss@gmail.com`.
 */
export async function namedAccount(
  { stores, call }: Pick<Services, "stores" | "call">,
  typed: string,
): Promise<User | null> {
  const by = identifier(typed);
  const user = (await stores.directory.userWithPassword(by, call()))?.user ?? null;
  return user !== null && by.kind === "email" && !isMailboxOf(user, typed) ? null : user;
}
