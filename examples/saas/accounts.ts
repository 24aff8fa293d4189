import type { Auth, User } from "latchkey";
import type { ApplicationParts } from "latchkey-server";

const admin = { username: "admin", email: "admin@example.com", password: "your_admin_password" };
const grace = { username: "grace", email: "grace@example.com", password: "seven green kettles" };
const pro = { name: "pro", limits: [{ path: "/premium", limit: 100, windowSeconds: 60 }] };

/**
 * What the example begins with: an administrator, a plan, and somebody who is in it. The administrator is made last: with them the
 * rest is there, and a start that ended half-way is taken up by the next.
 */
export async function makeAccounts({
  auth,
  administration,
}: Pick<ApplicationParts, "auth" | "administration">): Promise<void> {
  if ((await found(auth, admin)) !== null) return;
  const { operator } = administration;
  const tiers = await operator.tiers.list();
  if (tiers.every(({ name }) => name !== pro.name)) await operator.tiers.create(pro);
  const { id } = (await found(auth, grace)) ?? (await operator.create(grace));
  await operator.changeRights(id, { tier: pro.name });
  await auth.users.create(admin, { isSuperuser: true });
}

/** The account that has one of these names, whichever of them it has changed since; null for none. */
async function found(
  { users }: Auth,
  { username, email }: Pick<User, "username" | "email">,
): Promise<User | null> {
  return (await users.findByIdentifier(username)) ?? (await users.findByIdentifier(email));
}
