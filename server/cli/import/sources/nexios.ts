import { flag, instant, text, texts } from "../fields.ts";
import { type Source, unsaid } from "../source.ts";

/** The users of a Nexios application, as its guide makes them: bcrypt in a column of the application's choice. */
export const nexios: Source = {
  read: (fields) => ({
    ...unsaid,
    sourceId: text(fields, "id"),
    email: text(fields, "email"),
    username: text(fields, "username"),
    name: text(fields, "display_name", "full_name", "name"),
    isActive: flag(fields, "is_active") !== false,
    passwordHash: text(fields, "hashed_password", "password_hash", "password"),
    createdAt: instant(fields, "created_at"),
    roles: texts(fields, "roles", "role"),
    permissions: texts(fields, "permissions"),
  }),
};
