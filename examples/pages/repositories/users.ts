import type { RepositoryUser, UserRepository } from "latchkey/repositories";

export type Role = "user" | "admin";

/** What Latchkey asks of a table of users, and what this application has in it besides. */
export interface Users extends UserRepository {
  getUserById(id: string): (RepositoryUser & { readonly role: Role }) | null;
  setRole(id: string, role: Role): void;
}
