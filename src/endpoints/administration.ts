import * as z from "zod/mini";
import type { Administration } from "../api/administration.ts";
import type { AdministrationPermission } from "../domain/administration.ts";
import type { Permission, Role, User } from "../domain/user.ts";
import { mostAccounts } from "../flows/administration/administer-accounts.ts";
import type { Guard } from "../ports/guard.ts";
import type { Reply, Route } from "../ports/route.ts";
import { chosenPassword, displayName, email, flag, givenFlag, nameList, username } from "./inputs.ts";
import { queryFlag, queryLimit, queryText, readQuery } from "./queries.ts";
import { row } from "./row.ts";
import type { EndpointServices, ShowUser } from "./services.ts";
import { sessionShape, userShape, wireSession } from "./wire.ts";

/** Makes the guard of a permission. */
export type Requires = (permission: AdministrationPermission) => Guard;

/** What the routes of administration are made of. */
export interface AdministrationParts extends Pick<EndpointServices, "guards" | "showUser"> {
  readonly administration: Administration;
  readonly requires: Requires;
}

const time = z.iso.datetime();

/** An account as administrators see it. */
export const accountShape: z.ZodMiniObject = z.extend(userShape, {
  status: z.enum(["active", "disabled", "deleted", "anonymized"]),
  deleted_at: z.nullable(time),
});

/** An account as the wire spells it for administrators. */
export async function wireAccount(
  user: User,
  showUser: ShowUser,
): Promise<Readonly<Record<string, unknown>>> {
  return {
    ...(await showUser(user)),
    status: user.status,
    deleted_at: user.deletedAt?.toISOString() ?? null,
  };
}

const locale = z.nullable(z.string().check(z.maxLength(64, "At most 64 characters")));

const createInput = z.object({
  email,
  username: z.optional(username),
  password: chosenPassword("Password is required"),
  name: z.optional(z.nullable(displayName)),
  locale: z.optional(locale),
  email_verified: flag,
  must_change_password: flag,
});

const changeInput = z.object({
  email: z.optional(email),
  username: z.optional(username),
  name: z.optional(z.nullable(displayName)),
  locale: z.optional(locale),
  email_verified: givenFlag,
  must_change_password: givenFlag,
});

const rightsInput = z.object({
  roles: z.optional(nameList),
  permissions: z.optional(nameList),
  is_superuser: givenFlag,
});

const usersQuery = z.object({
  search: z.optional(queryText(320)),
  status: z.optional(z.enum(["active", "disabled", "deleted", "anonymized"], "No such status")),
  role: z.optional(queryText(64)),
  tier: z.optional(queryText(64)),
  is_superuser: z.optional(queryFlag),
  cursor: z.optional(queryText(4_096)),
  limit: z.optional(queryLimit(mostAccounts)),
});

/** What the tables are made of. */
interface TableParts extends Pick<AdministrationParts, "administration" | "requires"> {
  readonly show: (user: User) => ReturnType<typeof wireAccount>;
  /** An account as an answer. */
  readonly answer: (user: Promise<User>) => Promise<Reply>;
}

const one = "/users/{user}";

/** Accounts of others. Each call checks again what its guard has checked: applications make the same calls. */
export function accountRoutes({ administration, requires, showUser }: AdministrationParts): readonly Route[] {
  const show = (user: User) => wireAccount(user, showUser);
  const answer = async (user: Promise<User>) => ({ status: 200, body: await show(await user) });
  const parts = { administration, requires, show, answer };
  return [
    ...readingRoutes(parts),
    ...writingRoutes(parts),
    ...accessRoutes(parts),
    ...endingRoutes(parts),
    ...rightsRoutes(parts),
  ];
}

function readingRoutes({ administration, requires, show, answer }: TableParts): readonly Route[] {
  const reading = { guards: [requires("user:read")] };
  return [
    row({
      ...reading,
      method: "GET",
      path: "/users",
      summary:
        "Accounts, the newest first, or those whose username or address begins with `search`; `status`, `role`, `tier`, `is_superuser`, `limit`, `cursor`",
      answers: { 200: z.object({ items: z.array(accountShape), next_cursor: z.nullable(z.string()) }) },
      async handle({ query, ...call }) {
        const { is_superuser: isSuperuser, cursor: after, role, ...rest } = readQuery(usersQuery, query);
        const search = { ...rest, isSuperuser, after, ...(role !== undefined && { role: role as Role }) };
        const { users, next } = await administration.as(call).users(withoutAbsent(search));
        return { status: 200, body: { items: await Promise.all(users.map(show)), next_cursor: next } };
      },
    }),
    row({
      ...reading,
      method: "GET",
      path: one,
      summary: "One account, by username or id",
      answers: { 200: accountShape },
      handle: ({ params, ...call }) => answer(administration.as(call).user(params.user ?? "")),
    }),
    row({
      ...reading,
      method: "GET",
      path: `${one}/sessions`,
      summary: "The live sessions of somebody",
      answers: { 200: z.object({ items: z.array(sessionShape), next_cursor: z.null() }) },
      async handle({ params, ...call }) {
        const sessions = await administration.as(call).sessions(params.user ?? "");
        const items = sessions.map((session) => wireSession(session, null));
        return { status: 200, body: { items, next_cursor: null } };
      },
    }),
  ];
}

function writingRoutes({ administration, requires, show, answer }: TableParts): readonly Route[] {
  const writing = { guards: [requires("user:write")] };
  return [
    row({
      ...writing,
      method: "POST",
      path: "/users",
      summary: "Create an account; nobody is signed in",
      refuses: ["password_rejected", "email_taken", "username_taken", "overloaded"],
      input: createInput,
      answers: { 201: accountShape },
      async handle({ input, ...call }) {
        const { email_verified: emailVerified, must_change_password: mustChangePassword, ...rest } = input;
        const user = await administration.as(call).create({ ...rest, emailVerified, mustChangePassword });
        return { status: 201, body: await show(user) };
      },
    }),
    row({
      ...writing,
      method: "PATCH",
      path: one,
      summary:
        "Change an account; absent fields stay. Another address needs a fresh sign-in and ends its sessions",
      input: changeInput,
      answers: { 200: accountShape },
      handle({ input, params, ...call }) {
        const { email_verified: emailVerified, must_change_password: mustChangePassword, ...rest } = input;
        const changes = withoutAbsent({ ...rest, emailVerified, mustChangePassword });
        return answer(administration.as(call).change(params.user ?? "", changes));
      },
    }),
  ];
}

// Who gets in.
function accessRoutes({ administration, requires, answer }: TableParts): readonly Route[] {
  const writing = { guards: [requires("user:write")] };
  return [
    row({
      ...writing,
      method: "POST",
      path: `${one}/disable`,
      summary: "Bar somebody from their account; every session ends",
      answers: { 200: accountShape },
      handle: ({ params, ...call }) => answer(administration.as(call).disable(params.user ?? "")),
    }),
    row({
      ...writing,
      method: "POST",
      path: `${one}/restore`,
      summary: "Give a disabled or deleted account back",
      answers: { 200: accountShape },
      handle: ({ params, ...call }) => answer(administration.as(call).restore(params.user ?? "")),
    }),
    row({
      ...writing,
      method: "POST",
      path: `${one}/unlock`,
      summary: "Let somebody sign in by password again whom failed sign-ins made wait",
      answers: { 204: null },
      async handle({ params, ...call }) {
        await administration.as(call).unlock(params.user ?? "");
        return { status: 204 };
      },
    }),
    row({
      guards: [requires("session:write")],
      method: "DELETE",
      path: `${one}/sessions`,
      summary: "End every session of somebody",
      answers: { 204: null },
      async handle({ params, ...call }) {
        await administration.as(call).endSessions(params.user ?? "");
        return { status: 204 };
      },
    }),
  ];
}

function endingRoutes({ administration, requires }: TableParts): readonly Route[] {
  const writing = { guards: [requires("user:write")] };
  const erase = async (call: Parameters<Administration["as"]>[0], named = "") => {
    await administration.as(call).anonymize(named);
    return { status: 200, body: { message: "The account is anonymised." } };
  };
  return [
    row({
      ...writing,
      method: "DELETE",
      path: one,
      summary: "Delete an account; after 30 days it is anonymised. Needs a fresh sign-in",
      answers: { 204: null },
      async handle({ params, ...call }) {
        await administration.as(call).delete(params.user ?? "");
        return { status: 204 };
      },
    }),
    row({
      ...writing,
      method: "DELETE",
      path: "/users/db/{username}",
      summary: "Remove what is personal of an account, for good (superuser)",
      answers: { 200: z.object({ message: z.string() }) },
      handle: ({ params, ...call }) => erase(call, params.username),
    }),
    row({
      ...writing,
      method: "DELETE",
      path: `${one}/permanent`,
      summary: "Remove what is personal of an account, for good (superuser)",
      answers: { 200: z.object({ message: z.string() }) },
      handle: ({ params, ...call }) => erase(call, params.user),
    }),
  ];
}

function rightsRoutes({ administration, requires, answer }: TableParts): readonly Route[] {
  const writing = { guards: [requires("user:write")] };
  return [
    row({
      ...writing,
      method: "PUT",
      path: `${one}/roles`,
      summary: "Change roles, permissions and the superuser flag; absent lists stay. Needs a fresh sign-in",
      input: rightsInput,
      answers: { 200: accountShape },
      handle({ input: { roles, permissions, is_superuser: isSuperuser }, params, ...call }) {
        const wanted = withoutAbsent({
          roles: roles as Role[] | undefined,
          permissions: permissions as Permission[] | undefined,
          isSuperuser,
        });
        return answer(administration.as(call).changeRights(params.user ?? "", wanted));
      },
    }),
    row({
      ...writing,
      method: "PUT",
      path: `${one}/tier`,
      summary: "Put somebody into a tier, by its name, or into none. Needs a fresh sign-in",
      input: z.object({ tier: z.nullable(z.string("Tier is required").check(z.maxLength(64))) }),
      answers: { 200: accountShape },
      handle: ({ input, params, ...call }) =>
        answer(administration.as(call).changeRights(params.user ?? "", { tier: input.tier })),
    }),
  ];
}

/** The same without what is undefined. */
export function withoutAbsent<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as ReturnType<
    typeof withoutAbsent<T>
  >;
}
