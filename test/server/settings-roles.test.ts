import { expect, onTestFinished, test } from "vitest";
import { authFromSettings } from "../../server/auth-from-settings.ts";
import { readSettings } from "../../server/settings/read-settings.ts";
import { SettingsError } from "../../server/settings/settings-error.ts";
import { memory } from "../../src/stores/memory.ts";
import { testClock } from "../../src/testing/clock.ts";
import { fixtures } from "../../src/testing/fixtures.ts";
import { secret } from "../support/world.ts";

function problem(text: string): string {
  try {
    readSettings({ ROLES: text });
    return "";
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.problems.map(({ setting, problem }) => `${setting} ${problem}`).join();
  }
}

test("ROLES says what each role grants", () => {
  const { roles } = readSettings({
    ROLES: " editor = invoice:read  invoice:write ;reader=invoice:read; marker=; ",
  }).settings;
  expect(roles).toEqual({ editor: ["invoice:read", "invoice:write"], reader: ["invoice:read"], marker: [] });
  expect(readSettings({}).settings.roles).toBeNull();
});

test.each([
  ["editor", "ROLES entry 1 is no name=permissions"],
  ["a=b; editor=c=d", "ROLES entry 2 is no name=permissions"],
  ["a=b; a=c", "ROLES has a role twice"],
  ["a b=c", "ROLES has a name or a permission that cannot be used"],
  ["a=b,c", "ROLES has a name or a permission that cannot be used"],
  ["=b", "ROLES has a name or a permission that cannot be used"],
])("%s is refused", (text, wanted) => {
  expect(problem(text)).toBe(wanted);
});

test("the server's Auth goes by them", () => {
  const { settings } = readSettings({ ROLES: "editor=invoice:write" });
  const auth = authFromSettings(settings, {
    origin: "http://localhost:3000",
    secrets: [secret],
    stores: memory(),
  });
  onTestFinished(() => auth.close());
  const make = fixtures(testClock());
  expect(auth.explain(make.user({ roles: ["editor"] }), "write", "invoice")).toEqual({
    allow: true,
    rule: "role",
    because: "given by the role editor",
    permission: "invoice:write",
  });
  expect(auth.explain(make.user({ roles: ["reader"] }), "write", "invoice").allow).toBe(false);
});
