import { instant, text } from "../fields.ts";
import { fullName, link, links, type Source, unsaid } from "../source.ts";

/** The table of Devise's model, of Ruby on Rails. */
export const devise: Source = {
  read: (fields) => ({
    ...unsaid,
    sourceId: text(fields, "id"),
    email: text(fields, "email"),
    emailVerified: instant(fields, "confirmed_at") !== null,
    username: text(fields, "username", "login"),
    name:
      text(fields, "name", "full_name") ?? fullName(text(fields, "first_name"), text(fields, "last_name")),
    locale: text(fields, "locale"),
    isActive: instant(fields, "deleted_at", "discarded_at") === null,
    passwordHash: text(fields, "encrypted_password"),
    createdAt: instant(fields, "created_at"),
    // As OmniAuth's documentation adds them.
    linkedAccounts: links([link(text(fields, "provider"), text(fields, "uid"), null)]),
  }),
};
