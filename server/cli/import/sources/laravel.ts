import { instant, text } from "../fields.ts";
import { type Source, unsaid } from "../source.ts";

/** Laravel's `users` table. */
export const laravel: Source = {
  read: (fields) => ({
    ...unsaid,
    sourceId: text(fields, "id"),
    email: text(fields, "email"),
    emailVerified: instant(fields, "email_verified_at") !== null,
    username: text(fields, "username"),
    name: text(fields, "name"),
    locale: text(fields, "locale"),
    // Deleted softly, where the model does that.
    isActive: instant(fields, "deleted_at") === null,
    passwordHash: text(fields, "password"),
    createdAt: instant(fields, "created_at"),
  }),
};
