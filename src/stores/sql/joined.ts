import type {
  OwnedApiKey,
  OwnedLinkedAccount,
  SessionOwner,
  UserWithPassword,
} from "../../ports/directory-store.ts";
import {
  type ApiKeyRow,
  apiKeyColumns,
  apiKeyOf,
  type LinkedAccountRow,
  linkedAccountColumns,
  linkedAccountOf,
} from "../credential-rows.ts";
import { type PasswordRow, passwordOf, sessionColumns, type UserRow, userColumns, userOf } from "../rows.ts";
import type { SqlValue } from "./steps.ts";

// Rows of two tables: the columns of the first, then those of what is joined to it, nulls where nothing is.

/** A row of two tables. */
export type JoinedRow = readonly SqlValue[];

/** Where what is joined to a user begins. */
export const userWidth: number = widthOf(userColumns);

const apiKeyWidth = widthOf(apiKeyColumns);
const linkedAccountWidth = widthOf(linkedAccountColumns);

/** Where what is joined to a session begins. */
export const sessionWidth: number = widthOf(sessionColumns);

/** The user of a row of `userColumns` and others. */
export function userIn(row: JoinedRow): SessionOwner["user"] {
  return userOf(row.slice(0, userWidth) as unknown as UserRow);
}

/** The user of a row of `userColumns` and then `passwordColumns`. */
export function userWithPasswordOf(row: JoinedRow): UserWithPassword {
  const password = row[userWidth] === null ? null : (row.slice(userWidth) as unknown as PasswordRow);
  return { user: userIn(row), password: password === null ? null : passwordOf(password) };
}

/** The API key of a row of `apiKeyColumns` and then `userColumns`, with its owner. */
export function ownedApiKeyOf(row: JoinedRow): OwnedApiKey {
  const key = apiKeyOf(row.slice(0, apiKeyWidth) as unknown as ApiKeyRow);
  return { key, user: userIn(row.slice(apiKeyWidth)) };
}

/** The linked account of a row of `linkedAccountColumns` and then `userColumns`, with its user. */
export function ownedLinkedAccountOf(row: JoinedRow): OwnedLinkedAccount {
  const account = linkedAccountOf(row.slice(0, linkedAccountWidth) as unknown as LinkedAccountRow);
  return { account, user: userIn(row.slice(linkedAccountWidth)) };
}

function widthOf(columns: string): number {
  return columns.split(",").length;
}
