import { flag, instant, objects, text, texts } from "../fields.ts";
import { link, links, type Source, unsaid } from "../source.ts";

/** Better Auth's table `user`, with the rows of `account` as a list. Names may be written with capitals or underscores. */
export const betterAuth: Source = {
  read(fields, { now }) {
    const accounts = objects(fields, "accounts");
    const providerOf = (account: (typeof accounts)[number]) => text(account, "providerId", "provider_id");
    const own = accounts.find((each) => providerOf(each) === "credential") ?? {};
    const banEnds = instant(fields, "banExpires", "ban_expires");
    return {
      ...unsaid,
      sourceId: text(fields, "id"),
      email: text(fields, "email"),
      emailVerified: flag(fields, "emailVerified", "email_verified") === true,
      username: text(fields, "username"),
      name: text(fields, "name"),
      isActive: flag(fields, "banned") !== true || (banEnds !== null && banEnds <= now),
      passwordHash: text(own, "password") ?? text(fields, "password"),
      createdAt: instant(fields, "createdAt", "created_at"),
      // Of the plugin `admin`.
      roles: texts(fields, "role"),
      linkedAccounts: links(
        accounts.map((each) => link(providerOf(each), text(each, "accountId", "account_id"), null)),
      ),
    };
  },
};
