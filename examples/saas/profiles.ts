import { AuthError, type User } from "latchkey";

/** What people say about themselves, by username. */
export interface Profiles {
  /** What somebody says; null where they say nothing. */
  read(username: string): string | null;
  /** @throws AuthError `forbidden` where it is somebody else's */
  write(currentUser: User, username: string, about: string): void;
  /** @throws AuthError `forbidden` where it is somebody else's */
  delete(currentUser: User, username: string): void;
}

/** Profiles in memory. Whose they are is asked here and not in the routes: whoever calls, the answer is the same. */
export function profilesInMemory(): Profiles {
  const about = new Map<string, string>();
  return {
    read: (username) => about.get(username) ?? null,
    write(currentUser, username, text) {
      verifyPermission(currentUser, username, "update the profile");
      about.set(username, text);
    },
    delete(currentUser, username) {
      verifyPermission(currentUser, username, "delete the profile");
      about.delete(username);
    },
  };
}

function verifyPermission(currentUser: User, targetUsername: string, action: string): void {
  if (currentUser.username === targetUsername || currentUser.isSuperuser) return;
  throw new AuthError("forbidden", { message: `Cannot ${action} for another user` });
}
