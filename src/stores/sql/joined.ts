import type { SessionOwner, UserWithPassword } from "../../ports/directory-store.ts";
import { type PasswordRow, passwordOf, sessionColumns, type UserRow, userColumns, userOf } from "../rows.ts";
import type { SqlValue } from "./steps.ts";

// Rows of two tables: the columns of the first, then those of what is joined to it, nulls where nothing is.

/** A row of two tables. */
export type JoinedRow = readonly SqlValue[];

/** Where what is joined to a user begins. */
export const userWidth: number = widthOf(userColumns);

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

function widthOf(columns: string): number {
  return columns.split(",").length;
}
