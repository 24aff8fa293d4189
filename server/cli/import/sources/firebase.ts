import { encodeFirebaseHash } from "latchkey/foreign-hashes";
import { type Fields, flag, instant, objects, text } from "../fields.ts";
import { link, links, type Source, type SourceContext, unsaid } from "../source.ts";

const providers = ["google.com", "facebook.com", "twitter.com", "github.com"];

/** `firebase auth:export`, as JSON or as its table without a head. */
export const firebase: Source = {
  // @see https://firebase.google.com/docs/cli/auth#file_format
  columns: [
    ...["localId", "email", "emailVerified", "passwordHash", "salt", "displayName", "photoUrl"],
    ...providers.flatMap((name) => [`${name} id`, `${name} email`, `${name} name`, `${name} photo`]),
    ...["createdAt", "lastSignedInAt", "phoneNumber", "disabled", "customAttributes"],
  ],
  read: (fields, context) => ({
    ...unsaid,
    sourceId: text(fields, "localId"),
    email: text(fields, "email"),
    emailVerified: flag(fields, "emailVerified") === true,
    name: text(fields, "displayName"),
    isActive: flag(fields, "disabled") !== true,
    passwordHash: hashOf(fields, context),
    createdAt: instant(fields, "createdAt"),
    linkedAccounts: links([
      ...objects(fields, "providerUserInfo").map((each) =>
        link(text(each, "providerId"), text(each, "rawId"), text(each, "email")),
      ),
      ...providers.map((name) => link(name, text(fields, `${name} id`), text(fields, `${name} email`))),
    ]),
  }),
};

// An empty hash is a person without a password; one that cannot be written down here is refused by its name.
function hashOf(fields: Fields, { firebase: project }: SourceContext): string | null {
  const passwordHash = text(fields, "passwordHash");
  if (passwordHash === null) return null;
  const salt = text(fields, "salt") ?? "";
  return (project && encodeFirebaseHash({ ...project, passwordHash, salt })) ?? "firebase";
}
