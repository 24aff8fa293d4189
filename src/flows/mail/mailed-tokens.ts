import type { OneTimeToken, OneTimeTokenPurpose } from "../../domain/one-time-token.ts";
import type { OutboxMail } from "../../domain/outbox.ts";
import type { User } from "../../domain/user.ts";
import { AuthError } from "../../errors.ts";
import type { Services } from "../../ports/services.ts";
import { identifierHmac } from "../attempts.ts";
import { issueOneTimeToken, type NewOneTimeToken, readOneTimeToken } from "../one-time-tokens.ts";

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/**
 * Makes the token of a mail. Its id is the mail's own in other characters: a token that is made when the mail is tried again takes
 * the place of the former one, which then opens nothing.
 */
export function mintMailedToken(
  services: Services,
  mail: Pick<OutboxMail, "id">,
  purpose: OneTimeTokenPurpose,
  about: Omit<NewOneTimeToken, "id">,
): Promise<string> {
  return issueOneTimeToken(services, purpose, { ...about, id: idOf(mail) });
}

/** The 128 bits of a UUID in 22 base62 characters. */
function idOf({ id }: Pick<OutboxMail, "id">): string {
  let [text, rest] = ["", BigInt(`0x${id.replaceAll("-", "")}`)];
  while (text.length < 22) {
    text = base62[Number(rest % 62n)] + text;
    rest /= 62n;
  }
  return text;
}

/** What a token says of the mailbox that it went to: a keyed digest, so that no address lies in the store. */
export function sentTo(services: Services, { emailKey }: Pick<User, "emailKey">): string {
  return identifierHmac(services, emailKey);
}

/** Whether a token went to the mailbox that the user has now: who gave theirs up must not come in by what is still in it. */
export function wasSentTo(
  { keys }: Services,
  token: OneTimeToken,
  { emailKey }: Pick<User, "emailKey">,
): boolean {
  return keys.verify("identifier", emailKey, Buffer.from(token.detail ?? "", "base64url"));
}

/** A token and whose it is, both as they are now. */
export interface Opened {
  readonly token: OneTimeToken;
  readonly user: User;
}

/**
 * Looks at a mailed token and the account that it is for; spends nothing.
 *
 * @throws AuthError `token_invalid` - unknown, used or expired, or the account, its address or its proofs changed since
 */
export async function openMailedToken(
  services: Services,
  purpose: "reset" | "verify" | "magic_link",
  text: string,
): Promise<Opened> {
  const token = await readOneTimeToken(services, purpose, text);
  const user = await ownerOf(services, token);
  if (!wasSentTo(services, token, user)) throw new AuthError("token_invalid");
  return { token, user };
}

/** The active user whose token it is, of the generation that it was made under. @throws AuthError `token_invalid` */
export async function ownerOf({ stores, call }: Services, token: OneTimeToken): Promise<User> {
  // From the database itself: rights are given on the answer.
  const through = { ...call(), readsThrough: true };
  const user = token.userId === null ? null : await stores.directory.user(token.userId, through);
  if (user === null || user.status !== "active" || user.generation !== token.generation)
    throw new AuthError("token_invalid");
  return user;
}
