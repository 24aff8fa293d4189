import { describe, expect, test } from "vitest";
import { chooseLocale, knownLocale, ownName } from "../../server/pages/language/choose-locale.ts";
import { languages } from "../../server/pages/language/language.ts";
import type { LanguageTable } from "../../server/pages/language/table.ts";
import { acceptedLocale } from "../../src/mail/locales.ts";
import { mailWorld } from "../support/mail.ts";
import { cookieName, password, world } from "../support/world.ts";
import { type Page, registered, visitor } from "./visitor.ts";

const cookie = `${cookieName}-language`;
const langOf = ({ text }: Page): string | undefined => /<html lang="([^"]*)">/.exec(text)?.[1];
const reading = (header: string) => ({ headers: { "Accept-Language": header } });

describe("a visitor reads what their browser asks for", () => {
  test.each([
    ["de", "de"],
    ["de-AT", "de"],
    ["fr, es;q=0.8, de;q=0.9", "de"],
    ["en;q=0.1, ja", "ja"],
    ["ES-mx", "es"],
    ["de;q=0", "en"],
    ["fr", "en"],
    ["*", "en"],
    ["", "en"],
    [";;;,,,q=9", "en"],
    ["de;q=abc", "en"],
    ["de;q=2", "en"],
    [`${"de,".repeat(5_000)}de`, "en"],
    ['"><script>alert(1)</script>', "en"],
    ["__proto__, constructor", "en"],
  ])("%s", async (header, locale) => {
    const page = await visitor(world()).open("/login", reading(header));
    expect([page.status, langOf(page), page.headers.get("content-language")]).toEqual([200, locale, locale]);
    expect(page.headers.get("vary")).toContain("Accept-Language");
    expect(page.text).not.toContain("<script");
  });

  test("also on pages of refusals", async () => {
    const guest = visitor(world());
    const page = await guest.open("/problems/nothing", reading("ja"));
    expect([page.status, langOf(page)]).toEqual([404, "ja"]);
    expect(page.text).toContain("ここには何もありません");
  });

  test("or the server's own language, where it asks for none that there is", async () => {
    const guest = visitor(world(), { languages: languages({ fallback: "es" }) });
    expect(langOf(await guest.open("/login"))).toBe("es");
    expect(langOf(await guest.open("/login", reading("ja")))).toBe("ja");
  });
});

describe("a language that was chosen in a browser", () => {
  test("is kept in it, and leads back to where it was chosen", async () => {
    const guest = visitor(world());
    const page = await guest.open("/login?next=%2Faccount&done=registered");
    expect(page.hidden()).toEqual({ next: "/account" });
    expect(page.text).toContain(
      '<button type="submit" name="language" value="de" lang="de">Deutsch</button>',
    );
    const sent = { language: "de", next: "/login?next=%2Faccount" };
    const chosen = await guest.post("/language", sent);
    expect([chosen.status, chosen.location]).toEqual([303, "/login?next=%2Faccount"]);
    expect(chosen.cookies).toMatchObject([{ name: cookie, value: "de" }]);
    const attributes = { path: "/", secure: "", httponly: "", samesite: "Lax", "max-age": "31536000" };
    expect(chosen.cookies[0]?.attributes).toEqual(attributes);
    const again = await guest.open("/register", reading("ja"));
    expect([langOf(again), again.headers.get("vary")]).toEqual(["de", "Cookie"]);
  });

  test.each(["xx", "", "DE", "de; Path=/x", "../../etc", "constructor"])(
    "is one of those that there are: %j changes nothing",
    async (language) => {
      const guest = visitor(world());
      const { status, location, cookies } = await guest.post("/language", { language, next: "/register" });
      expect([status, location, cookies]).toEqual([303, "/register", []]);
      guest.browser.jar.set(cookie, encodeURIComponent(language));
      expect(langOf(await guest.open("/login", reading("es")))).toBe("es");
    },
  );

  test.each(["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""])(
    "leads nowhere else: %j",
    async (next) => {
      const { location } = await visitor(world()).post("/language", { language: "de", next });
      expect(location).toBe("/");
    },
  );

  test.each([
    { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" },
    { Origin: "https://evil.app.example", "Sec-Fetch-Site": "same-site" },
    // A browser that does not say how sites lie to each other.
    { Origin: "https://evil.example", "Sec-Fetch-Site": null },
    { Origin: "null", "Sec-Fetch-Site": null },
  ])("is chosen by no other site: %j", async (headers) => {
    const guest = visitor(world());
    const forged = await guest.post("/language", { language: "de" }, { headers });
    expect([forged.status, forged.cookies]).toEqual([403, []]);
  });

  test("is chosen by opening no address", async () => {
    const opened = await visitor(world()).open("/language?language=de");
    expect([opened.location, opened.cookies]).toEqual(["/", []]);
  });

  test("carries no token along that a page was opened with", async () => {
    const page = await visitor(world()).open("/reset?token=%20&new=1");
    expect(page.status).toBe(400);
    expect(page.text).toContain('<input type="hidden" name="next" value="/reset?new=1">');
  });
});

describe("who is signed in", () => {
  test("reads the account's language, whatever the browser asks for, on refusals as well", async () => {
    const here = world();
    const ana = await registered(here);
    await ana.submit("/account", { email: "ana@example.com", username: "ana", locale: "de-at" }, "profile");
    const user = await here.auth.users.findByIdentifier("ana");
    expect(user?.locale).toBe("de-AT");
    ana.browser.jar.set(cookie, "ja");
    for (const path of ["/account", "/app/dashboard", "/unauthorized", "/problems", "/nothing"]) {
      const page = await ana.open(path === "/nothing" ? "/problems/nothing" : path, reading("es"));
      expect([path, langOf(page), page.headers.get("vary")]).toEqual([path, "de", "Cookie"]);
      expect(page.text).not.toContain('action="/language"');
    }
    const account = await ana.open("/account");
    expect(account.text).toContain('<option value="de-AT" lang="de-AT" selected>');
  });

  test("chooses it on the account page, also none", async () => {
    const here = world();
    const ana = await registered(here);
    const profile = { email: "ana@example.com", username: "ana", name: "Ana" };
    const saved = await ana.submit("/account", { ...profile, locale: "ja" }, "profile");
    expect([saved.status, saved.location]).toEqual([303, "/account?done=profile#profile"]);
    expect((await ana.open("/account?done=profile")).text).toContain("プロフィールを保存しました。");
    await ana.submit("/account", { ...profile, locale: "" }, "profile");
    expect((await here.auth.users.findByIdentifier("ana"))?.locale).toBeNull();
    expect(langOf(await ana.open("/account", reading("es")))).toBe("es");
  });

  test("keeps one that these pages do not speak until another is chosen", async () => {
    const here = world();
    const ana = await registered(here);
    const { user } = await here.auth.users.update({ locale: "pt-BR" }, visit(here, ana));
    expect(user.locale).toBe("pt-BR");
    const page = await ana.open("/account");
    expect([langOf(page), page.text.includes('<option value="pt-BR" lang="pt-BR" selected>')]).toEqual([
      "en",
      true,
    ]);
  });

  test("is told what is no language, beside the field", async () => {
    const ana = await registered(world());
    const typed = { email: "ana@example.com", username: "ana", locale: "not a language" };
    const page = await ana.submit("/account", typed, "profile");
    expect([page.status, page.messageOf("locale")]).toEqual([400, "A language tag such as en or pt-BR"]);
  });
});

function visit(here: ReturnType<typeof world>, ana: Awaited<ReturnType<typeof registered>>) {
  return {
    request: ana.browser.request("POST", "/api/v1/users/me"),
    client: { ip: "192.0.2.10" },
    origin: here.origin,
  };
}

test("who registers is written to in the language of the page", async () => {
  const here = mailWorld({ registration: "confirm" });
  const guest = visitor(here, { mail: here.mail });
  await guest.post("/language", { language: "ja" });
  const typed = { email: "ana@example.com", password, confirm_password: password };
  await guest.submit("/register", typed);
  await here.delivered();
  expect(here.sink.newest("ana@example.com").subject).toContain("アカウント");
});

test("who registers without having said a language has none", async () => {
  const here = world();
  await registered(here);
  expect((await here.auth.users.findByIdentifier("ana"))?.locale).toBeNull();
});

test("a language that an operator added is found by its whole tag, or as a kind of it", () => {
  const known = ["en", "pt", "pt-BR"];
  const accepted = ["pt-BR", "pt-br;q=0.5", "pt-PT", "fr, pt"].map((header) => acceptedLocale(header, known));
  expect(accepted).toEqual(["pt-BR", "pt-BR", "pt", "pt"]);
});

// RFC 4647, section 3.4: from the right, subtag by subtag, a single letter with what it introduces. UTS 35: likely subtags.
describe("of the languages that there are, a tag finds the nearest that it is a kind of", () => {
  const known = ["en", "de", "zh", "zh-Hant", "zh-Hant-HK", "sr-Latn", "uz-Arab", "x-own", "de-u"];
  test.each([
    ["zh-Hant-TW", "zh-Hant"],
    ["ZH-HANT-HK", "zh-Hant-HK"],
    ["zh-Hant-HK-x-a", "zh-Hant-HK"],
    ["zh-Hant-x-x-x-TW", "zh-Hant"],
    ["zh-Hans-CN", "zh"],
    ["zh-TW", "zh-Hant"],
    ["zh-HK", "zh-Hant-HK"],
    ["zh-CN", "zh"],
    ["zh", "zh"],
    ["uz-AF", "uz-Arab"],
    ["uz", null],
    ["sr-ME", "sr-Latn"],
    ["de-Latn-DE-1996-u-co-phonebk-x-own", "de"],
    ["de-u-co-phonebk", "de"],
    ["sr-Cyrl-RS", null],
    ["sr", null],
    ["x-own-words", "x-own"],
    ["x", null],
    ["fr", null],
    ["-", null],
    ["", null],
    ["zh-", "zh"],
    ["-zh", null],
  ])("%s: %s", (tag, locale) => {
    expect([acceptedLocale(tag, known), knownLocale(tag, known)]).toEqual([locale, locale]);
  });

  test("before what is wanted less is looked at", () => {
    const accepted = ["de;q=0.9, zh-Hant-TW", "fr-CA, sr-Cyrl;q=0.9, de-AT;q=0.8, zh;q=0.7"];
    expect(accepted.map((header) => acceptedLocale(header, known))).toEqual(["zh-Hant", "de"]);
  });
});

test("a language that could not be loaded is loaded when it is asked for again", async () => {
  let asked = 0;
  const changed = new Map([
    [
      "fr",
      (usual: LanguageTable) => {
        if (asked++ === 0) throw new Error("too many open files");
        return usual;
      },
    ],
  ]);
  const { of } = languages({ changed });
  await expect(of("fr")).rejects.toThrow("too many open files");
  expect((await of("fr")).locale).toBe("fr");
  expect(await of("fr")).toBe(await of("fr"));
  expect(asked).toBe(2);
});

test("two cookies of one name, and a broken one, choose nothing but a language", () => {
  const usual = { name: cookieName } as Parameters<typeof chooseLocale>[0]["cookie"];
  for (const header of [
    `${cookie}=de; ${cookie}=evil`,
    `${cookie}=%E0%A4%A`,
    `${cookie}=`,
    "=;;=",
    `x=${cookie}=de`,
  ]) {
    const headers = new Headers({ Cookie: header });
    const { locale } = chooseLocale({ headers, principal: null, cookie: usual }, languages());
    expect(["en", "de"]).toContain(locale);
  }
});

test("a language is named in itself", () => {
  expect(["en", "de", "es", "ja", "pt-BR", "no tag"].map(ownName)).toEqual([
    "English",
    "Deutsch",
    "Español",
    "日本語",
    "Português (Brasil)",
    "no tag",
  ]);
});
