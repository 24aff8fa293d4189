import * as z from "zod/mini";
import type { ApiKeys } from "../api/api-keys.ts";
import type { ApiKeyUsage } from "../domain/api-key.ts";
import { AuthError } from "../errors.ts";
import type { NewApiKey } from "../flows/api-keys/api-keys.ts";
import type { Route } from "../ports/route.ts";
import { row } from "./row.ts";
import type { EndpointServices } from "./services.ts";
import { wireKey } from "./wire-owned.ts";

const time = z.iso.datetime();
const list = z.array(z.string().check(z.maxLength(200))).check(z.maxLength(500));
// As an HTML form can say it: separated by commas or white space.
const listText = z.pipe(
  z.string().check(z.maxLength(4_096)),
  z.transform((text) => text.split(/[\s,]+/).filter((word) => word !== "")),
);
const permissionMap = z.pipe(
  z.record(z.string().check(z.maxLength(100)), list),
  z.transform((map) =>
    Object.entries(map).flatMap(([resource, actions]) => actions.map((action) => `${resource}:${action}`)),
  ),
);
const uses = z.optional(z.nullable(z.int("A whole number")));

const changedFields = {
  permissions: z.optional(
    z.union([list, listText, permissionMap], 'Permissions are ["invoice:read"] or { "invoice": ["read"] }'),
  ),
  // Strict: a misspelt limit would be none.
  usage_limits: z.optional(
    z.strictObject({ per_minute: uses, per_day: uses }, "Limits are { per_minute, per_day }, whole numbers"),
  ),
  ip_allow: z.optional(z.union([list, listText], "A list of addresses and networks")),
  expires_at: z.optional(
    z.nullable(z.iso.datetime({ offset: true, error: "A time such as 2030-01-01T00:00:00Z" })),
  ),
};
const name = z.string("Name is required").check(z.maxLength(200, "At most 100 characters"));
const createInput = z.object({ name, ...changedFields });
const updateInput = z.object({ name: z.optional(name), ...changedFields });
const rotateInput = z.object({
  overlap_seconds: z.optional(z.int("A whole number of seconds")),
  expires_at: changedFields.expires_at,
});

const limitShape = z.nullable(z.int());
/** An API key on the wire. */
export const keyShape: z.ZodMiniObject = z.object({
  id: z.string(),
  name: z.string(),
  permissions: z.array(z.string()),
  usage_limits: z.object({ per_minute: limitShape, per_day: limitShape }),
  ip_allow: z.array(z.string()),
  expires_at: z.nullable(time),
  last_used_at: z.nullable(time),
  rotated_from: z.nullable(z.string()),
  created_at: time,
  updated_at: time,
});
const createdShape = z.extend(keyShape, { key: z.string() });
const usageShape = z.object({ hour: time, status_class: z.int(), path: z.string(), count: z.int() });
const nextCursor = z.nullable(z.string());

/** The caller's API keys. Each route wants the whole of the caller's rights, which a key never has. */
export function apiKeyRoutes(keys: ApiKeys, { guards }: EndpointServices): readonly Route[] {
  const guarded = { guards: [guards.signedIn] };
  return [
    row({
      ...guarded,
      method: "GET",
      path: "/api-keys",
      summary: "The caller's API keys",
      answers: { 200: z.object({ items: z.array(keyShape), next_cursor: nextCursor }) },
      async handle({ principal }) {
        const items = (await keys.list(principal)).map(wireKey);
        return { status: 200, body: { items, next_cursor: null } };
      },
    }),
    row({
      ...guarded,
      method: "POST",
      path: "/api-keys",
      summary: "Make an API key; its text is in this answer and nowhere else",
      input: createInput,
      answers: { 201: createdShape },
      async handle({ input, principal, request, client }) {
        const wanted = { ...wantedOf(input), name: input.name };
        const { key, ...info } = await keys.create(principal, wanted, { request, client });
        return { status: 201, body: { key, ...wireKey(info) } };
      },
    }),
    row({
      ...guarded,
      method: "GET",
      path: "/api-keys/{id}",
      summary: "One API key of the caller",
      answers: { 200: keyShape },
      handle: async ({ params, principal }) => ({
        status: 200,
        body: wireKey(await keys.get(principal, params.id ?? "")),
      }),
    }),
    row({
      ...guarded,
      method: "PATCH",
      path: "/api-keys/{id}",
      summary: "Change an API key; absent fields stay",
      input: updateInput,
      answers: { 200: keyShape },
      async handle({ input, params, principal, request, client }) {
        const visit = { request, client };
        const info = await keys.update(principal, params.id ?? "", wantedOf(input), visit);
        return { status: 200, body: wireKey(info) };
      },
    }),
    row({
      ...guarded,
      method: "DELETE",
      path: "/api-keys/{id}",
      summary: "Revoke an API key",
      answers: { 204: null },
      async handle({ params, principal, request, client }) {
        await keys.revoke(principal, params.id ?? "", { request, client });
        return { status: 204 };
      },
    }),
    row({
      ...guarded,
      method: "POST",
      path: "/api-keys/{id}/rotate",
      summary: "Put a new API key in the place of one, which goes on for the overlap",
      input: rotateInput,
      answers: { 201: createdShape },
      async handle({ input, params, principal, request, client }) {
        const how = { overlapSeconds: input.overlap_seconds, ...wantedOf(input) };
        const visit = { request, client };
        const { key, ...info } = await keys.rotate(principal, params.id ?? "", how, visit);
        return { status: 201, body: { key, ...wireKey(info) } };
      },
    }),
    row({
      ...guarded,
      method: "GET",
      path: "/api-keys/{id}/usage",
      summary: "What an API key was used for, by the hour; `cursor` is where to begin, by default a week ago",
      answers: { 200: z.object({ items: z.array(usageShape), next_cursor: nextCursor }) },
      async handle({ params, query, principal }) {
        const cursor = query.get("cursor");
        const from = cursor === null ? {} : { from: timeOf(cursor, "cursor") };
        const { usage, next } = await keys.usage(principal, params.id ?? "", from);
        const items = usage.map(wireUsage);
        return { status: 200, body: { items, next_cursor: next?.toISOString() ?? null } };
      },
    }),
  ];
}

type Wanted = z.output<typeof updateInput>;

function wantedOf({ name, permissions, usage_limits, ip_allow, expires_at }: Wanted): Partial<NewApiKey> {
  return {
    name,
    permissions,
    limits: usage_limits && {
      perMinute: usage_limits.per_minute ?? null,
      perDay: usage_limits.per_day ?? null,
    },
    allowedIps: ip_allow,
    expiresAt: typeof expires_at === "string" ? new Date(expires_at) : expires_at,
  };
}

function timeOf(text: string, field: string): Date {
  if (z.safeParse(z.iso.datetime({ offset: true }), text).success) return new Date(text);
  const message = "A time such as 2030-01-01T00:00:00Z";
  throw new AuthError("invalid_input", { fields: [{ field, code: "invalid", message }] });
}

function wireUsage({ hour, statusClass, path, count }: ApiKeyUsage): Readonly<Record<string, unknown>> {
  return { hour: hour.toISOString(), status_class: statusClass, path, count };
}
