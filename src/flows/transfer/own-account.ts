import { emailKey, isEmail } from "../../domain/identifier.ts";
import { anonymousEmail, anonymousUsername, type User } from "../../domain/user.ts";
import type { PasswordServices } from "../../ports/services.ts";
import { languageTag } from "../account/language-tag.ts";
import { fitting, type ImportRights } from "./fitting.ts";
import { type Drafted, hashRefusal } from "./import-account.ts";
import type { Account } from "./import-record.ts";

/**
 * The account that one of Latchkey's own becomes. Its ids, its times and what it holds stay; what people and operators choose is held
 * to the same rules as in every other file: nobody has signed this one either.
 */
export function admitAccount(services: PasswordServices, account: Account, rights: ImportRights): Drafted {
  const { user, password } = account;
  if (!isOwnAddress(user)) return { refused: "email_invalid", detail: null };
  const refusal = hashRefusal(services, password?.encoded ?? null);
  if (refusal !== null) return refusal;
  const isErased = user.status === "anonymized";
  // The name of an erased account is nobody's choice.
  const { changes, dropped } = fitting(services, isErased ? { ...user, username: null } : user, rights);
  const username = isErased ? user.username : changes.username;
  const admitted = { ...user, ...changes, username, locale: languageTag(user.locale) };
  return { account: { ...account, user: admitted }, knownAs: [user.id], dropped };
}

// With somebody else's key it would be their address that signs in here. An erased account has the names that are made of its id.
function isOwnAddress({ id, status, email, emailKey: key, username }: User): boolean {
  if (emailKey(email) !== key) return false;
  if (status !== "anonymized") return isEmail(email);
  return email === anonymousEmail(id) && username === anonymousUsername(id);
}
