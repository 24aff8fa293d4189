import { type Fields, flag, instant, objects, text } from "../fields.ts";
import { link, links, type Source, unsaid } from "../source.ts";

/** Lucia's users: of version 2 with the rows of its table of keys as a list, of version 3 as the application holds them. */
export const lucia: Source = {
  read(fields) {
    const keys = objects(fields, "keys");
    const own = keys.find((each) => text(each, "hashed_password") !== null) ?? {};
    return {
      ...unsaid,
      sourceId: text(fields, "id"),
      email: text(fields, "email") ?? keyed(keys, "email"),
      emailVerified: flag(fields, "email_verified", "emailVerified") === true,
      username: text(fields, "username") ?? keyed(keys, "username"),
      name: text(fields, "name"),
      passwordHash:
        text(own, "hashed_password") ?? text(fields, "password_hash", "hashed_password", "passwordHash"),
      createdAt: instant(fields, "created_at", "createdAt"),
      linkedAccounts: links([
        ...keys.map((each) => link(...partsOf(each), null)),
        ...objects(fields, "oauth_accounts").map((each) =>
          link(text(each, "provider_id"), text(each, "provider_user_id"), null),
        ),
      ]),
    };
  },
};

// "email:ann@example.com", "google:12345"
function partsOf(key: Fields): [provider: string | null, subject: string | null] {
  const [, provider = null, subject = null] = /^([^:]+):(.+)$/s.exec(text(key, "id") ?? "") ?? [];
  return [provider, subject];
}

function keyed(keys: readonly Fields[], provider: string): string | null {
  return keys.map(partsOf).find(([name]) => name === provider)?.[1] ?? null;
}
