import type { EventOrigin } from "../../domain/event.ts";
import { type OneTimeToken, oneTimeTokenTtlSeconds } from "../../domain/one-time-token.ts";
import type { User } from "../../domain/user.ts";
import { AuthError } from "../../errors.ts";
import type { Services } from "../../ports/services.ts";
import { identifierHmac, limitKey, takeLimit } from "../attempts.ts";
import { ownerOf, sentTo, wasSentTo } from "../mail/mailed-tokens.ts";
import { assertAdmissible, type MailSignInContext, startMailSession } from "./mail-sign-in.ts";
import type { SignIn } from "./start-session.ts";

/** Digits of a code. With five codes of five tries an hour for one account, six would fall once in a few years of guessing. */
const codeDigits = 8;
/** Wrong codes that one request allows. */
const mostTries = 5;

/**
 * Makes the code of a request. One that was made for it before works no more.
 *
 * Only a keyed digest is stored: of eight digits any other could be tried out.
 */
export async function mintEmailCode(services: Services, codeId: string, user: User): Promise<string> {
  const code = randomDigits(services);
  const token: OneTimeToken = {
    purpose: "email_code",
    userId: user.id,
    generation: user.generation,
    detail: sentTo(services, user),
    secretDigest: Buffer.from(services.keys.sign("mail-code", `${codeId}.${code}`)).toString("base64url"),
  };
  const { stores, call } = services;
  await stores.ephemeral.put(keyOf(codeId), JSON.stringify(token), oneTimeTokenTtlSeconds.email_code, call());
  return code;
}

/**
 * Signs in by a code, typed as it was mailed; blanks and dashes in it are left out.
 *
 * The work is the same for a request to which no mail went: whether there is an account shows in nothing.
 *
 * @param id - as it was answered to who asked for the code
 * @throws AuthError `token_invalid` - wrong, used or expired; `rate_limited` - after five wrong ones; `forbidden` by a policy
 */
export async function redeemEmailCode(
  services: Services,
  { id, code }: { readonly id: string; readonly code: string },
  context: MailSignInContext,
): Promise<SignIn> {
  const typed = code.replace(/[\s-]/g, "");
  if (!/^[A-Za-z0-9]{22}$/.test(id) || !new RegExp(`^\\d{${codeDigits}}$`).test(typed)) throw wrongCode();
  await takeTry(services, id, context.from);
  const { stores, call, keys } = services;
  const stored = await stores.ephemeral.read(keyOf(id), call());
  const token = stored === null ? null : (JSON.parse(stored) as OneTimeToken);
  const mac = Buffer.from(token?.secretDigest ?? "", "base64url");
  const isRight = keys.verify("mail-code", `${id}.${typed}`, mac);
  if (token === null || !isRight) {
    await reportWrong(services, id, token?.userId ?? null, context.from);
    throw wrongCode();
  }
  const user = await ownerOf(services, token);
  if (!wasSentTo(services, token, user)) throw wrongCode();
  await assertAdmissible(services, user, context);
  // Of several at once one gets it.
  if ((await stores.ephemeral.take(keyOf(id), call())) !== stored) throw wrongCode();
  return startMailSession(services, user, context);
}

async function takeTry(services: Services, id: string, from: EventOrigin): Promise<void> {
  const windowSeconds = oneTimeTokenTtlSeconds.email_code;
  const limit = { name: "email_code", key: limitKey("email_code", id), limit: mostTries, windowSeconds };
  await takeLimit(services, [limit], from, { message: "Too many wrong codes. Ask for a new one." });
}

async function reportWrong(
  services: Services,
  id: string,
  userId: string | null,
  from: EventOrigin,
): Promise<void> {
  const payload = { identifierHmac: identifierHmac(services, id), reason: "credentials" } as const;
  const draft = { type: "user.login_failed", userId, sessionId: null, payload } as const;
  await services.commit([{ kind: "audit.insert", row: services.events.row(draft, from) }]);
}

function wrongCode(): AuthError {
  const message = "The code is wrong, used or expired.";
  return new AuthError("token_invalid", { message, fields: [{ field: "code", code: "incorrect", message }] });
}

function keyOf(id: string): string {
  return `token:email_code:${id}`;
}

// Without bias: numbers past the last whole multiple are drawn again.
function randomDigits({ random }: Services): string {
  const count = 10 ** codeDigits;
  const fair = Math.floor(2 ** 32 / count) * count;
  for (;;) {
    const drawn = Buffer.from(random.bytes(4)).readUInt32BE();
    if (drawn < fair) return String(drawn % count).padStart(codeDigits, "0");
  }
}
