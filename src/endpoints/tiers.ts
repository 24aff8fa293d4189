import * as z from "zod/mini";
import type { Tier } from "../domain/tier.ts";
import type { Route } from "../ports/route.ts";
import type { AdministrationParts } from "./administration.ts";
import { row } from "./row.ts";
import { wireTier } from "./wire-owned.ts";

const time = z.iso.datetime();
const limitShape = z.object({ path: z.string(), limit: z.int(), window_seconds: z.int() });
const tierShape = z.object({
  id: z.uuid(),
  name: z.string(),
  limits: z.array(limitShape),
  version: z.int(),
  created_at: time,
  updated_at: time,
});

const whole = z.int("A whole number");
// Strict: a misspelt window would be none.
const limitInput = z.strictObject(
  { path: z.string("Path is required").check(z.maxLength(200)), limit: whole, window_seconds: whole },
  "Limits are { path, limit, window_seconds }",
);
const limitsInput = z.array(limitInput, "A list of limits").check(z.maxLength(500, "At most 50"));
const createInput = z.object({
  name: z.string("Name is required").check(z.maxLength(64, "At most 32 characters")),
  limits: z.optional(limitsInput),
});
const changeInput = z.object({ limits: limitsInput, version: z.optional(whole) });

/** Plans and their limits. */
export function tierRoutes({ administration, requires }: AdministrationParts): readonly Route[] {
  const reading = { guards: [requires("user:read")] };
  const writing = { guards: [requires("tier:write")] };
  return [
    row({
      ...reading,
      method: "GET",
      path: "/tiers",
      summary: "Every tier, by name",
      answers: { 200: z.object({ items: z.array(tierShape), next_cursor: z.null() }) },
      async handle(call) {
        const items = (await administration.as(call).tiers.list()).map(wireTier);
        return { status: 200, body: { items, next_cursor: null } };
      },
    }),
    row({
      ...writing,
      method: "POST",
      path: "/tiers",
      summary: "Make a tier",
      input: createInput,
      answers: { 201: tierShape },
      async handle({ input: { name, limits = [] }, ...call }) {
        const tier = await administration.as(call).tiers.create({ name, limits: limits.map(limitOf) });
        return { status: 201, body: wireTier(tier) };
      },
    }),
    row({
      ...reading,
      method: "GET",
      path: "/tiers/{name}",
      summary: "One tier",
      answers: { 200: tierShape },
      handle: async ({ params, ...call }) => ({
        status: 200,
        body: wireTier(await administration.as(call).tiers.get(params.name ?? "")),
      }),
    }),
    row({
      ...writing,
      method: "PATCH",
      path: "/tiers/{name}",
      summary: "Replace the limits of a tier; with `version` only where nobody else has since",
      input: changeInput,
      answers: { 200: tierShape },
      async handle({ input: { limits, version }, params, ...call }) {
        const calls = administration.as(call).tiers;
        const tier = await calls.setLimits(params.name ?? "", limits.map(limitOf), version);
        return { status: 200, body: wireTier(tier) };
      },
    }),
    row({
      ...writing,
      method: "DELETE",
      path: "/tiers/{name}",
      summary: "Remove a tier that nobody is in",
      answers: { 204: null },
      async handle({ params, ...call }) {
        await administration.as(call).tiers.delete(params.name ?? "");
        return { status: 204 };
      },
    }),
  ];
}

type LimitInput = z.output<typeof limitInput>;

function limitOf({ path, limit, window_seconds: windowSeconds }: LimitInput): Tier["limits"][number] {
  return { path, limit, windowSeconds };
}
