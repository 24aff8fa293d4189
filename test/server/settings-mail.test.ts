import { describe, expect, test } from "vitest";
import { readSettings } from "../../server/settings/read-settings.ts";
import type { Settings } from "../../server/settings/settings.ts";
import { SettingsError } from "../../server/settings/settings-error.ts";

type Environment = Readonly<Record<string, string>>;

const production: Environment = {
  ORIGIN: "https://app.example",
  SECRET_KEY: "b4c1d0e5f6a7988796a5b4c3d2e1f00112233445566778899aabbccddeeff00",
};
const smtp: Environment = { SMTP_URL: "smtp://mail.example", MAIL_FROM: "no-reply@app.example" };

function settings(environment: Environment): Settings {
  return readSettings(environment).settings;
}

function problems(environment: Environment): string[] {
  try {
    readSettings(environment);
    return [];
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.problems.map(({ setting, problem }) => `${setting} ${problem}`);
  }
}

describe("SMTP_URL", () => {
  test.each([
    [
      "smtp://mail.example",
      { host: "mail.example", port: 587, isTls: false, username: null, password: null },
    ],
    ["smtps://mail.example/", { host: "mail.example", port: 465, isTls: true }],
    ["SMTP://mail.example:25", { host: "mail.example", port: 25 }],
    [
      "smtp://me:p%40ss%3Aword@[::1]:2525",
      { host: "::1", port: 2525, username: "me", password: "p@ss:word" },
    ],
  ])("%s is a mail server", (text, wanted) => {
    expect(settings({ ...smtp, SMTP_URL: text }).smtpUrl).toMatchObject(wanted);
  });

  test.each([
    "mail.example",
    "http://mail.example",
    "smtp://",
    "smtp://me@mail.example",
    "smtp://:secret@mail.example",
    "smtp://mail.example/path",
    "smtp://mail.example?tls=no",
    "smtp://mail.example:99999",
    "smtp://me:%zz@mail.example",
    "smtp://mail .example",
  ])("%s is none, and never repeated", (text) => {
    expect(problems({ ...smtp, SMTP_URL: text })).toEqual(["SMTP_URL is no address of a mail server"]);
  });

  test("needs MAIL_FROM", () => {
    expect(problems({ SMTP_URL: "smtp://mail.example" })).toEqual(["MAIL_FROM is needed with SMTP_URL"]);
  });
});

describe("MAIL_FROM", () => {
  test.each(["a@b.example", "Example <a@b.example>", "Grüße aus Köln <no-reply@b.example>"])(
    "can be %s",
    (text) => expect(settings({ ...smtp, MAIL_FROM: text }).mailFrom).toBe(text),
  );

  test.each(["Example", "a@b, c@d", "A <a@b> <c@d>", "A <a b@c>", "<>"])("cannot be %s", (text) => {
    expect(problems({ ...smtp, MAIL_FROM: text })).toEqual(["MAIL_FROM is no sender of mail"]);
  });
});

describe("REGISTRATION_MODE", () => {
  test.each([
    [{}, "open"],
    [smtp, "confirm"],
    [{ ...smtp, REGISTRATION_MODE: "open" }, "open"],
    [{ REGISTRATION_MODE: "confirm" }, "confirm"],
    [{ REGISTRATION_MODE: "invite" }, "invite"],
    [production, "open"],
    [{ ...production, ...smtp }, "confirm"],
    [{ ...production, REGISTRATION_MODE: "invite" }, "invite"],
  ] as const)("with %j is %s", (environment, mode) => {
    expect(settings(environment).registrationMode).toBe(mode);
  });

  test("confirm needs mail where mails are not shown to the developer", () => {
    expect(problems({ ...production, REGISTRATION_MODE: "confirm" })).toEqual([
      "REGISTRATION_MODE needs mail, which SMTP_URL would send",
    ]);
  });
});
