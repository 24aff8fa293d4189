import type { ApplicationParts } from "latchkey-server";

/** What the example begins with: an administrator, a plan, and somebody who is in it. */
export async function makeAccounts({ auth, administration }: ApplicationParts): Promise<void> {
  // There already from a start before this one.
  if ((await auth.users.findByIdentifier("admin")) !== null) return;
  const { operator } = administration;
  await operator.tiers.create({
    name: "pro",
    limits: [{ path: "/premium", limit: 100, windowSeconds: 60 }],
  });
  const admin = { username: "admin", email: "admin@example.com", password: "your_admin_password" };
  await auth.users.create(admin, { isSuperuser: true });
  await operator.create({ username: "grace", email: "grace@example.com", password: "seven green kettles" });
  await operator.changeRights("grace", { tier: "pro" });
}
