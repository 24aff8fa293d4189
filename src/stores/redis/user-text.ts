import type { User } from "../../domain/user.ts";
import { revokedTokensOf, revokedTokensText } from "../revoked-tokens.ts";
import { parsed } from "./parsed.ts";

type UserJson = Omit<
  User,
  "createdAt" | "updatedAt" | "deletedAt" | "revokedTokens" | "mustChangePassword"
> & {
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly deletedAt: number | null;
  /** Neither this nor the next is there in copies of versions before. */
  readonly revokedTokens?: string;
  readonly mustChangePassword?: boolean;
};

/** A user as JSON, times as milliseconds. */
export function userText(user: User): string {
  const json: UserJson = {
    ...user,
    createdAt: user.createdAt.getTime(),
    updatedAt: user.updatedAt.getTime(),
    deletedAt: user.deletedAt?.getTime() ?? null,
    revokedTokens: revokedTokensText(user.revokedTokens),
  };
  return JSON.stringify(json);
}

/**
 * The user of a text; every call makes a new one. Null for a copy by a process of a version before, which says nothing of
 * revoked tokens or of a password to be changed: the directory is to be asked. @throws Error for what {@link userText} never wrote
 */
export function userOf(text: string): User | null {
  const { revokedTokens, mustChangePassword, ...json } = parsed<UserJson>(text, "the copy of a user");
  if (revokedTokens === undefined || mustChangePassword === undefined) return null;
  return {
    ...json,
    mustChangePassword,
    revokedTokens: revokedTokensOf(revokedTokens),
    createdAt: new Date(json.createdAt),
    updatedAt: new Date(json.updatedAt),
    deletedAt: json.deletedAt === null ? null : new Date(json.deletedAt),
  };
}
