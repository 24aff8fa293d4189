import { describe, expect, test } from "vitest";
import { deviceWords } from "../../src/domain/device-words.ts";
import type { MailPurpose } from "../../src/domain/outbox.ts";
import type { MailFacts } from "../../src/mail/facts.ts";
import { acceptedLocale, mailLocale, mailLocales } from "../../src/mail/locales.ts";
import { html } from "../../src/mail/markup.ts";
import { messageOf, senderProblem } from "../../src/mail/message.ts";
import { writeMail } from "../../src/mail/write-mail.ts";

const purposes: readonly MailPurpose[] = [
  "verify",
  "reset",
  "registration",
  "registration_taken",
  "email_change",
  "email_changed",
  "magic_link",
  "email_code",
  "invitation",
  "password_changed",
  "new_device",
];

const link = "https://app.example/reset?token=abc.def";

function facts(purpose: MailPurpose, overrides: Partial<MailFacts> = {}): MailFacts {
  return {
    purpose,
    locale: "en",
    site: "app.example",
    origin: "https://app.example",
    to: "ana@example.com",
    link: purpose === "email_code" ? null : link,
    code: purpose === "email_code" ? "12345678" : null,
    ttlSeconds: 900,
    newAddress: purpose === "email_changed" ? "new@example.com" : null,
    signIn:
      purpose === "new_device"
        ? { at: new Date("2026-01-02T03:04:00Z"), ip: "192.0.2.1", device: "Firefox, Linux" }
        : null,
    ...overrides,
  };
}

describe.each(mailLocales)("in %s", (locale) => {
  test.each(purposes)(
    "the mail %s says in text all that its HTML says, and links where it is to",
    (purpose) => {
      const { subject, text, html: document } = writeMail(facts(purpose, { locale }));
      const body = /<body[^>]*>(.*)<\/body>/s.exec(document)?.[1] ?? "";
      const said = body
        .replace(/<a [^>]*>(.*?)<\/a>/gs, "$1")
        .split(/<[^>]*>/)
        .map((part) => part.trim())
        .filter((part) => part !== "");
      // The words before the bare link are for who cannot press the button, which a text does not have.
      const only = said.filter((part) => !text.includes(part) && part !== subject);
      expect(only.length).toBeLessThanOrEqual(purpose === "email_code" ? 0 : 1);
      expect(document).toContain(`<html lang="${locale}">`);
      const wanted = purpose === "email_code" ? "1234 5678" : link;
      expect([text.includes(wanted), document.includes(wanted)]).toEqual([true, true]);
      expect(subject.length).toBeGreaterThan(5);
      expect(text).toContain("ana@example.com");
    },
  );

  test("nothing is fetched by a mail, and nothing in it runs", () => {
    for (const purpose of purposes) {
      const { html: document } = writeMail(facts(purpose, { locale }));
      expect(document).not.toMatch(/<(?:script|img|link|iframe|style|form)\b|url\(|\son\w+=/i);
    }
  });

  test("no two mails have one subject", () => {
    const subjects = purposes.map((purpose) => writeMail(facts(purpose, { locale })).subject);
    expect(new Set(subjects).size).toBe(purposes.length);
  });
});

test("every language says something of its own in every mail", () => {
  for (const purpose of purposes) {
    const subjects = mailLocales.map((locale) => writeMail(facts(purpose, { locale })).subject);
    expect(new Set(subjects).size).toBe(mailLocales.length);
  }
});

test.each([
  [900, "en", "15 minutes"],
  [86_400, "en", "24 hours"],
  [3_600, "en", "1 hour"],
  [604_800, "de", "7 Tage"],
  [900, "es", "15 minutos"],
  [604_800, "ja", "7日"],
] as const)("%d seconds in %s are %j", (ttlSeconds, locale, words) => {
  expect(writeMail(facts("reset", { ttlSeconds, locale })).text).toContain(words);
});

test("what came from people is escaped in HTML and left alone in text", () => {
  const site = `<b>"Ann's" & co</b>`;
  const { text, html: document, subject } = writeMail(facts("email_changed", { site, newAddress: `<i>@x` }));
  expect(document).not.toMatch(/<b>|<i>/);
  expect(document).toContain("&lt;b&gt;&quot;Ann&#39;s&quot; &amp; co&lt;/b&gt;");
  expect(subject).toContain(site);
  expect(text).toContain(site);
});

test("an application's own template is used for its purpose, and no other", () => {
  const own = {
    reset: ({ to }: MailFacts) => ({ subject: "Ours", text: to, html: html`<p>${to}</p>`.markup }),
  };
  expect(writeMail(facts("reset", { to: "<x>@y" }), own)).toEqual({
    subject: "Ours",
    text: "<x>@y",
    html: "<p>&lt;x&gt;@y</p>",
  });
  expect(writeMail(facts("verify"), own).subject).not.toBe("Ours");
});

test("a message has one line for each of its headers, and the row's id in its own", async () => {
  const text = { subject: "s", text: "t", html: "<p>h" };
  const message = messageOf({ id: "0190-x" }, facts("reset"), text, "Example <a@b.example>");
  expect(message.headers["Message-ID"]).toBe("<0190-x@app.example>");
  expect(message.headers["Auto-Submitted"]).toBe("auto-generated");
  for (const bad of ["a\rb", "a\nb", "a\u0000b", "a\u2028b", "", " "]) {
    const about = facts("reset");
    expect(() => messageOf({ id: "x" }, about, { ...text, subject: bad }, "a@b.c")).toThrow(TypeError);
    expect(() => messageOf({ id: "x" }, { ...about, to: bad }, text, "a@b.c")).toThrow(TypeError);
    expect(() => messageOf({ id: "x" }, about, text, bad)).toThrow(TypeError);
  }
  expect(() => messageOf({ id: "x" }, facts("reset"), { ...text, text: " " }, "a@b.c")).toThrow(TypeError);
});

test.each(["a@b.example", "Example <a@b.example>", '"Ex, ample" <a@b.example>', "例 <a@b.example>"])(
  "mail can be sent from %s",
  (from) => expect(senderProblem(from)).toBeNull(),
);

test.each(["", "a", "a@b, c@d", "A <a@b> <c@d>", "A <a@b>\nBcc: x@y", "A a@b>"])(
  "mail cannot be sent from %j",
  (from) => expect(senderProblem(from)).not.toBeNull(),
);

test.each([
  ["de-AT", "de"],
  ["DE", "de"],
  ["fr", "en"],
  [null, "en"],
  ["", "en"],
  ["ja-Jpan-JP", "ja"],
] as const)("who reads %j is written to in %s", (tag, locale) => expect(mailLocale(tag)).toBe(locale));

test.each([
  ["de-CH, de;q=0.9, en;q=0.8", "de"],
  ["fr, en;q=0.3, es;q=0.7", "es"],
  ["fr", null],
  ["*", null],
  ["en;q=0, ja;q=0.1", "ja"],
  ["de;q=nonsense, en", "en"],
  ["", null],
  [null, null],
  ["x".repeat(1_000), null],
  [`${"fr,".repeat(200)}de`, null],
] as const)("a browser that accepts %j reads %j", (header, locale) =>
  expect(acceptedLocale(header)).toBe(locale),
);

test.each([
  ["Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0", "Edge, Windows"],
  ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari, iOS"],
  ["Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36", "Chrome, Android"],
  ["curl/8.0", null],
  ["Your account is closed. Call 0800 123", null],
  [null, null],
] as const)("%j is %j", (userAgent, words) => expect(deviceWords(userAgent)).toBe(words));
