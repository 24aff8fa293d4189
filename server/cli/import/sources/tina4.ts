import { flag, instant, text, texts } from "../fields.ts";
import { type Source, unsaid } from "../source.ts";

/** The `users` table of Tina4's guide. */
export const tina4: Source = {
  read: (fields) => ({
    ...unsaid,
    sourceId: text(fields, "id"),
    email: text(fields, "email"),
    username: text(fields, "username"),
    name: text(fields, "name"),
    isActive: flag(fields, "is_active", "active") !== false,
    passwordHash: text(fields, "password_hash"),
    createdAt: instant(fields, "created_at"),
    roles: texts(fields, "role"),
  }),
};
