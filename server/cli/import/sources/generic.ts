import { type Fields, flag, instant, objects, text, texts } from "../fields.ts";
import { link, links, type Source, unsaid } from "../source.ts";

/** Names of our own, for whatever is not listed. */
export const generic: Source = {
  read: (fields) => ({
    ...unsaid,
    sourceId: text(fields, "id"),
    email: text(fields, "email"),
    emailVerified: flag(fields, "email_verified") === true,
    username: text(fields, "username"),
    name: text(fields, "name"),
    locale: text(fields, "locale"),
    isActive: flag(fields, "disabled") !== true && flag(fields, "active") !== false,
    passwordHash: text(fields, "password_hash"),
    createdAt: instant(fields, "created_at"),
    roles: texts(fields, "roles"),
    permissions: texts(fields, "permissions"),
    isSuperuser: flag(fields, "is_superuser") === true,
    linkedAccounts: links(objects(fields, "linked_accounts").map(linked)),
  }),
};

function linked(fields: Fields) {
  const [provider, subject, email] = ["provider", "subject", "email"].map((name) => text(fields, name));
  const issuer = text(fields, "issuer");
  if (!provider || !subject) return null;
  return issuer === null
    ? link(provider, subject, email ?? null)
    : { provider, issuer, subject, email: email ?? null };
}
