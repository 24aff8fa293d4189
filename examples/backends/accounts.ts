import { hash } from "bcryptjs";
import type { Auth } from "latchkey";
import { accounts } from "./auth.ts";

/** People of the former application. */
const people = [
  { username: "test_user", password: "password123", roles: ["user"] },
  { username: "moderator", password: "moderator-password", roles: ["moderator", "user"] },
  { username: "boss", password: "boss-password", roles: ["admin"] },
];

/**
 * Brings in the accounts of the former application with their bcrypt hashes: everybody keeps their password, and at their next
 * sign-in the hash is replaced by argon2id.
 */
export async function importAccounts(auth: Auth): Promise<void> {
  const records = people.map(async ({ username, password, roles }, at) => ({
    row: at + 1,
    record: {
      ...unknown,
      sourceId: String(at + 1),
      username,
      email: `${username}@example.com`,
      passwordHash: await hash(password, 10),
      roles,
    },
  }));
  await auth.use(accounts).importUsers(await Promise.all(records), { source: "nexios", allowsRoles: true });
}

const unknown = {
  emailVerified: false,
  name: null,
  locale: null,
  isActive: true,
  createdAt: null,
  permissions: [],
  isSuperuser: false,
  linkedAccounts: [],
};
