import { all, anyone, type Guard, guard, via } from "latchkey";

/** Everybody, in place of what the policy says. */
export const noauth = anyone();

/** For a sign-in form, which has no session yet that its token could be of. */
export const signingIn = anyone({ startsSession: true });

/** A token, also where the policy lets everybody read. */
export const secured: Guard = via("jwt");

/** A token of somebody with this role. */
export function requireRole(role: "admin"): Guard {
  const hasRole = guard(`requireRole(${role})`, ({ user }) =>
    user?.roles.includes(role) === true
      ? { allow: true, because: role }
      : {
          allow: false,
          code: "forbidden",
          because: `not ${role}`,
          message: `Forbidden. Required role: ${role}`,
        },
  );
  return all(secured, hasRole);
}
