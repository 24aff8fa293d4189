import { type Fields, flag, instant, object, objects, text } from "../fields.ts";
import { link, links, type Source, unsaid } from "../source.ts";

/** Auth0's export of password hashes, its export of users, or both in one record. */
export const auth0: Source = {
  read(fields) {
    const email = objects(fields, "identifiers").find((each) => text(each, "type") === "email") ?? {};
    return {
      ...unsaid,
      sourceId: userId(fields),
      email: text(fields, "email") ?? text(email, "value"),
      emailVerified: (flag(fields, "email_verified") ?? flag(email, "verified")) === true,
      username: text(fields, "username"),
      // Where nobody gave a name, Auth0 repeats the address.
      name: text(fields, "name") === text(fields, "email") ? null : text(fields, "name"),
      locale: text(fields, "locale"),
      isActive: flag(fields, "blocked") !== true,
      passwordHash: text(fields, "passwordHash"),
      createdAt: instant(fields, "created_at"),
      linkedAccounts: links(
        objects(fields, "identities").map((each) =>
          link(text(each, "provider"), text(each, "user_id"), text(object(each, "profileData"), "email")),
        ),
      ),
    };
  },
};

// The export of hashes says the id without the prefix that it has everywhere else.
function userId(fields: Fields): string | null {
  const bare = text(fields, "alt_id") ?? text(object(fields, "_id"), "$oid") ?? text(fields, "_id");
  return text(fields, "user_id", "Id") ?? (bare === null ? null : `auth0|${bare}`);
}
