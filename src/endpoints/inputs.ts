import * as z from "zod/mini";
import { AuthError } from "../errors.ts";

const mostPasswordUnits = 4_096;

/** Text without control characters; trimmed by the flow that uses it. Missing reads as the field's own message. */
function text(required: string, maxLength: number): z.ZodMiniString {
  return z.string(required).check(
    z.maxLength(maxLength, `At most ${maxLength} characters`),
    z.refine((value) => !/\p{Cc}/u.test(value), "Control characters cannot be used"),
  );
}

/** An e-mail address; whether it is one is for the flow. */
export const email: z.ZodMiniString = text("Email is required", 254);
/** A username; whether it can be used is for the flow. */
export const username: z.ZodMiniString = text("Username is required", 64);
/** A display name. */
export const displayName: z.ZodMiniString = text("Name is required", 200);

/** A password as typed. Bounded here so that nothing long travels on; its exact limit is counted in bytes by the hashing. */
export function password(required: string): z.ZodMiniString {
  return z
    .string(required)
    .check(z.minLength(1, required), z.maxLength(mostPasswordUnits, "Password is too long"));
}

/** A token that arrived by a link. */
export const mailedToken: z.ZodMiniString = z
  .string("Token is required")
  .check(z.minLength(1, "Token is required"), z.maxLength(128, "At most 128 characters"));

/** A password that is being chosen: that it may not be empty is for the policy to say, together with what else is wrong. */
export function chosenPassword(required: string): z.ZodMiniString {
  return z.string(required).check(z.maxLength(mostPasswordUnits, "Password is too long"));
}

const yesOrNo = z.union([z.boolean(), z.enum(["on", "true", "1", "off", "false", "0", ""])], "true or false");

/** A box that a form ticks (`on`), or a JSON boolean. Absent reads as false. */
export const flag: z.ZodMiniType<boolean, boolean | string | undefined> = z.pipe(
  z.optional(yesOrNo),
  z.transform((value) => value === true || value === "on" || value === "true" || value === "1"),
);

/** The same where absent means that it stays as it is. */
export const givenFlag: z.ZodMiniOptional<z.ZodMiniType<boolean, boolean | string>> = z.optional(
  z.pipe(
    yesOrNo,
    z.transform((value) => value === true || value === "on" || value === "true" || value === "1"),
  ),
);

/** Names, as JSON lists them or as a form can: separated by commas or white space. */
export const nameList: z.ZodMiniType<string[], string | string[]> = z.union(
  [
    z
      .array(z.string().check(z.maxLength(128, "At most 128 characters")))
      .check(z.maxLength(200, "At most 200")),
    z.pipe(
      z.string().check(z.maxLength(4_096)),
      z.transform((text) => text.split(/[\s,]+/).filter((word) => word !== "")),
    ),
  ],
  "A list of names",
);

/** What somebody names themselves by at sign-in, as `username` or as `email`. */
export const identifierInput: z.ZodMiniString = z
  .string("Email is required")
  .check(z.maxLength(254, "At most 254 characters"));

/** The one identifier of a sign-in. @throws AuthError `invalid_input` - none; two different ones, which mean two things */
export function oneIdentifier(asUsername: string | undefined, asEmail: string | undefined): string {
  const typed = asUsername ?? asEmail ?? "";
  if (typed.trim() === "") {
    throw new AuthError("invalid_input", {
      fields: [{ field: "username", code: "required", message: "Email or username is required" }],
    });
  }
  if (asUsername !== undefined && asEmail !== undefined && asUsername !== asEmail) {
    throw new AuthError("invalid_input", {
      fields: [{ field: "email", code: "conflict", message: "Send username or email, not both" }],
    });
  }
  return typed;
}
