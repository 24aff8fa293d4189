import { createHash } from "node:crypto";
import type { NewRepositorySession, RepositoryUser, SessionRepository } from "latchkey/repositories";
import type { Role, Users } from "./users.ts";

/** Sessions in a map, gone with the process. */
export function memorySessions(): SessionRepository {
  const sessions = new Map<string, Omit<NewRepositorySession, "sid">>();
  return {
    insert({ sid, ...session }) {
      sessions.set(hashOf(sid), session);
    },
    revoke: (sid) => sessions.delete(hashOf(sid)),
    getUserId(sid) {
      const session = sessions.get(hashOf(sid));
      return session !== undefined && session.expiresAt > new Date() ? session.userId : null;
    },
  };
}

// A `sid` is no secret here: the secret half of the cookie never reaches a repository. The hash costs nothing, and keeps ids out of dumps.
function hashOf(sid: string): string {
  return createHash("sha256").update(sid).digest("hex");
}

/** Users in a map, gone with the process. */
export function memoryUsers(): Users {
  const users = new Map<string, RepositoryUser & { readonly role: Role }>();
  const byEmail = (email: string) =>
    [...users.values()].find((user) => user.email.toLowerCase() === email.toLowerCase()) ?? null;
  const change = (id: string, changes: object) => {
    const user = users.get(id);
    if (user !== undefined) users.set(id, { ...user, ...changes });
  };
  return {
    getUserById: (id) => users.get(id) ?? null,
    getUserByEmail: byEmail,
    createUser(user) {
      if (byEmail(user.email) !== null) throw new Error("this address is taken");
      const row = { ...user, role: "user" as const };
      users.set(user.id, row);
      return row;
    },
    updatePasswordHash: (id, passwordHash) => change(id, { passwordHash }),
    setRole: (id, role) => change(id, { role }),
  };
}
