import { flag, instant, object, objects, text } from "../fields.ts";
import { link, links, type Source, unsaid } from "../source.ts";

/** Supabase's table `auth.users`, with `auth.identities` as a list where the query joins them. */
export const supabase: Source = {
  read(fields, { now }) {
    const about = object(fields, "raw_user_meta_data");
    const bannedUntil = instant(fields, "banned_until");
    return {
      ...unsaid,
      sourceId: text(fields, "id"),
      email: text(fields, "email"),
      emailVerified: instant(fields, "email_confirmed_at", "confirmed_at") !== null,
      username: text(about, "username", "user_name"),
      name: text(about, "full_name", "name"),
      locale: text(about, "locale"),
      isActive: (bannedUntil === null || bannedUntil <= now) && instant(fields, "deleted_at") === null,
      passwordHash: text(fields, "encrypted_password"),
      createdAt: instant(fields, "created_at"),
      isSuperuser: flag(fields, "is_super_admin") === true,
      linkedAccounts: links(
        objects(fields, "identities").map((each) =>
          link(
            text(each, "provider"),
            text(each, "provider_id") ?? text(object(each, "identity_data"), "sub"),
            text(object(each, "identity_data"), "email"),
          ),
        ),
      ),
    };
  },
};
