import type { Source } from "./source.ts";

/** Products that accounts can come from, each loaded when it is asked for. `latchkey` reads what `latchkey export` wrote. */
export const sourceNames = [
  "django",
  "devise",
  "laravel",
  "firebase",
  "auth0",
  "supabase",
  "better-auth",
  "lucia",
  "nexios",
  "tina4",
  "generic",
  "latchkey",
] as const;

/** A product that accounts can come from. */
export type SourceName = (typeof sourceNames)[number];

const loaders: Readonly<Record<Exclude<SourceName, "latchkey">, () => Promise<Source>>> = {
  django: async () => (await import("./sources/django.ts")).django,
  devise: async () => (await import("./sources/devise.ts")).devise,
  laravel: async () => (await import("./sources/laravel.ts")).laravel,
  firebase: async () => (await import("./sources/firebase.ts")).firebase,
  auth0: async () => (await import("./sources/auth0.ts")).auth0,
  supabase: async () => (await import("./sources/supabase.ts")).supabase,
  "better-auth": async () => (await import("./sources/better-auth.ts")).betterAuth,
  lucia: async () => (await import("./sources/lucia.ts")).lucia,
  nexios: async () => (await import("./sources/nexios.ts")).nexios,
  tina4: async () => (await import("./sources/tina4.ts")).tina4,
  generic: async () => (await import("./sources/generic.ts")).generic,
};

/** How a product writes its accounts down; null for Latchkey's own, which the library reads. */
export async function sourceOf(name: SourceName): Promise<Source | null> {
  return name === "latchkey" ? null : loaders[name]();
}
