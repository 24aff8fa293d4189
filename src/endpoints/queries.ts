import * as z from "zod/mini";
import { AuthError, type FieldError } from "../errors.ts";

/** Reads the named parameters of an address as a schema wants them; others are ignored. @throws AuthError `invalid_input` with every failing one */
export function readQuery<Schema extends z.ZodMiniObject>(
  schema: Schema,
  query: URLSearchParams,
): z.output<Schema> {
  const given = Object.keys(schema.def.shape).flatMap((name) => {
    const value = query.get(name);
    return value === null || value === "" ? [] : [[name, value]];
  });
  const read = z.safeParse(schema, Object.fromEntries(given));
  if (read.success) return read.data;
  const fields = read.error.issues.map(({ path, message }): FieldError => {
    return { field: String(path[0] ?? ""), code: "invalid", message };
  });
  throw new AuthError("invalid_input", { fields });
}

/** `true` or `false`. */
export const queryFlag: z.ZodMiniType<boolean, string> = z.pipe(
  z.enum(["true", "false"], "true or false"),
  z.transform((text) => text === "true"),
);

/** Entries of a page: 1 to `most`. */
export function queryLimit(most: number): z.ZodMiniType<number, string> {
  const message = `A whole number from 1 to ${most}`;
  return z.pipe(
    z.string().check(z.regex(/^\d{1,4}$/, message)),
    z.pipe(
      z.transform((text: string) => Number(text)),
      z.int(message).check(z.minimum(1, message), z.maximum(most, message)),
    ),
  );
}

/** RFC 3339, with an offset. */
export const queryTime: z.ZodMiniType<Date, string> = z.pipe(
  z.iso.datetime({ offset: true, error: "A time such as 2030-01-01T00:00:00Z" }),
  z.transform((text) => new Date(text)),
);

/** A short text. */
export function queryText(most: number): z.ZodMiniString {
  return z.string().check(z.maxLength(most, `At most ${most} characters`));
}
