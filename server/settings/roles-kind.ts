import { type Roles, rights } from "latchkey";
import type { Kind } from "./kind.ts";

/** What each role grants: `editor=invoice:read invoice:write; reader=invoice:read`. A role without permissions is a mere label. */
export function roleList(): Kind<Roles> {
  const accepts = "roles with what they grant: editor=invoice:read invoice:write; reader=invoice:read";
  const fix = `Write ${accepts.slice(accepts.indexOf(":") + 2)}`;
  return {
    accepts,
    unit: null,
    read: (text) => {
      const entries = text.split(";").flatMap((entry) => (entry.trim() === "" ? [] : [entry.split("=")]));
      const bad = entries.findIndex((entry) => entry.length !== 2);
      if (bad >= 0) return { ok: false, problem: `entry ${bad + 1} is no name=permissions`, fix };
      const roles = entries.map(([name = "", permissions = ""]): [string, string[]] => [
        name.trim(),
        permissions.split(/\s+/).filter((permission) => permission !== ""),
      ]);
      if (new Set(roles.map(([name]) => name)).size < roles.length)
        return { ok: false, problem: "has a role twice", fix };
      const value = Object.fromEntries(roles);
      try {
        rights(value);
      } catch {
        return { ok: false, problem: "has a name or a permission that cannot be used", fix };
      }
      return { ok: true, value };
    },
  };
}
