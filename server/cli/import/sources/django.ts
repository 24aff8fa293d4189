import { type Fields, flag, instant, object, text } from "../fields.ts";
import { fullName, type Source, unsaid } from "../source.ts";

/** `manage.py dumpdata` of the user model, or its table. Groups become roles; permissions are `app.codename`. */
export const django: Source = {
  read(record) {
    const model = text(record, "model");
    const fields = model === null ? record : object(record, "fields");
    // A dump may hold other models; of the user model, whatever it is called, only the password is certain.
    if (model !== null && !Object.hasOwn(fields, "password")) return null;
    return {
      ...unsaid,
      sourceId: text(record, "pk", "id"),
      email: text(fields, "email"),
      username: text(fields, "username"),
      name: fullName(text(fields, "first_name"), text(fields, "last_name")) ?? text(fields, "name"),
      isActive: flag(fields, "is_active") !== false,
      passwordHash: usable(text(fields, "password")),
      createdAt: instant(fields, "date_joined"),
      roles: [
        ...natural(fields, "groups", ([name]) => name),
        ...(flag(fields, "is_staff") === true ? ["staff"] : []),
      ],
      permissions: natural(fields, "user_permissions", ([codename, app]) => `${app}.${codename}`),
      isSuperuser: flag(fields, "is_superuser") === true,
    };
  },
};

// "!" and random letters stand for "no password".
function usable(password: string | null): string | null {
  return password?.startsWith("!") ? null : password;
}

// With --natural-foreign groups are ["name"] and permissions ["codename", "app", "model"]; numbers say nothing.
function natural(
  fields: Fields,
  name: string,
  read: (key: readonly string[]) => string | undefined,
): readonly string[] {
  const keys = fields[name];
  if (!Array.isArray(keys)) return [];
  return keys.flatMap((key) =>
    Array.isArray(key) && key.every((part) => typeof part === "string") ? (read(key) ?? []) : [],
  );
}
