import type { Auth, User } from "latchkey";
import { CommandFailure } from "./failure.ts";

/** The user with this e-mail address, username or id. @throws CommandFailure where there is none */
export async function findUser(auth: Auth, typed: string): Promise<User> {
  const user = (await auth.users.findByIdentifier(typed)) ?? (await auth.users.find(typed));
  if (user === null) throw new CommandFailure(`There is no user ${typed}.`);
  return user;
}

/** A user as `--json` prints one. */
export function userJson(user: User): Readonly<Record<string, unknown>> {
  return {
    id: user.id,
    username: user.username,
    email: user.email,
    name: user.name,
    email_verified: user.emailVerified,
    status: user.status,
    roles: user.roles,
    permissions: user.permissions,
    tier: user.tier,
    is_superuser: user.isSuperuser,
    must_change_password: user.mustChangePassword,
    locale: user.locale,
    created_at: user.createdAt.toISOString(),
    updated_at: user.updatedAt.toISOString(),
    deleted_at: user.deletedAt?.toISOString() ?? null,
  };
}
