import type { User } from "../../domain/user.ts";
import { parsed } from "./parsed.ts";

type UserJson = Omit<User, "createdAt" | "updatedAt" | "deletedAt"> & {
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly deletedAt: number | null;
};

/** A user as JSON, times as milliseconds. */
export function userText(user: User): string {
  const json: UserJson = {
    ...user,
    createdAt: user.createdAt.getTime(),
    updatedAt: user.updatedAt.getTime(),
    deletedAt: user.deletedAt?.getTime() ?? null,
  };
  return JSON.stringify(json);
}

/** The user of a text; every call makes a new one. @throws Error for what {@link userText} never wrote */
export function userOf(text: string): User {
  const json = parsed<UserJson>(text, "the copy of a user");
  return {
    ...json,
    createdAt: new Date(json.createdAt),
    updatedAt: new Date(json.updatedAt),
    deletedAt: json.deletedAt === null ? null : new Date(json.deletedAt),
  };
}
