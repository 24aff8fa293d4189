import { type Guard, guard } from "latchkey";
import type { Users } from "./repositories/users.ts";

/** Only who has the role `admin` in the application's own table; a page sends others to `/unauthorized`. */
export function adminRequired(users: Users): Guard {
  return guard("adminRequired", ({ user }) => {
    if (user !== null && users.getUserById(user.id)?.role === "admin") return true;
    return { allow: false, code: "forbidden", because: "no admin", redirect: "/unauthorized" };
  });
}

/** Somebody is signed in, with a sentence of our own for who is not. */
export const apiAuthRequired: Guard = {
  name: "apiAuthRequired",
  // Asked about strangers too, or they would be refused before it.
  asksAnonymous: true,
  decide(principal) {
    if (principal.isAuthenticated) return { allow: true, because: "signed in" };
    const message = "Authentication required";
    return { allow: false, code: "not_authenticated", because: "not signed in", message };
  },
};
