import { describe, expect, test } from "vitest";
import { AuthError, asAuthError, errorTable } from "../src/errors.ts";

describe("errors", () => {
  test("say their code, status and public sentence, and keep the rest inside", () => {
    const cause = new Error("inside");
    const error = new AuthError("rate_limited", { cause, diagnosis: "why", retryAfterSeconds: 3 });
    expect(error).toMatchObject({
      code: "rate_limited",
      status: 429,
      diagnosis: "why",
      retryAfterSeconds: 3,
      fields: [],
      cause,
    });
    expect(new AuthError("forbidden", { message: "No." }).message).toBe("No.");
    expect(new AuthError("forbidden")).toMatchObject({ diagnosis: null, retryAfterSeconds: null });
  });

  test("of anything else are internal_error, with its cause", () => {
    const refusal = new AuthError("conflict");
    expect(asAuthError(refusal)).toBe(refusal);
    for (const thrown of [new TypeError("x"), "x", null, undefined]) {
      expect(asAuthError(thrown)).toMatchObject({ code: "internal_error", status: 500 });
    }
  });

  test("stand in a table without a double", () => {
    const codes = errorTable().map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
    expect(errorTable().every(({ status, message }) => status >= 400 && message !== "")).toBe(true);
  });
});
