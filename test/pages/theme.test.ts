import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { languages } from "../../server/pages/language/language.ts";
import { pageNames } from "../../server/pages/page.ts";
import { errorPage, type PageOptions } from "../../server/pages/pages.ts";
import { readTheme, ThemeError } from "../../server/pages/theme/read-theme.ts";
import { pagesFromSettings } from "../../server/pages-from-settings.ts";
import { AuthError } from "../../src/errors.ts";
import { world } from "../support/world.ts";
import { registered, visitor } from "./visitor.ts";

type Files = Readonly<Record<string, string | Uint8Array>>;

async function folderWith(files: Files): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-pages-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, body] of Object.entries(files)) await writeFile(join(folder, name), body);
  return folder;
}

async function themed(files: Files): Promise<Pick<PageOptions, "languages" | "theme">> {
  return pagesFromSettings({ pagesPath: await folderWith(files), defaultLocale: "en" });
}

/** What is wrong with a folder, line by line. */
async function problemsOf(files: Files): Promise<readonly string[]> {
  const thrown = await readTheme(await folderWith(files)).catch((error: unknown) => error);
  if (!(thrown instanceof ThemeError)) throw new Error("the folder was taken");
  return thrown.problems;
}

const page = "<h1>{{{heading}}}</h1>{{{lead}}}{{{messages}}}{{{form}}}";
const frame = '<html lang="{{locale}}"><title>{{title}}</title>{{{head}}}{{{banner}}}{{{main}}}</html>';

describe("texts of one's own", () => {
  test("stand in place of the usual ones, escaped, and the others stay", async () => {
    const own = { login: { title: 'Come in <script>alert("x")</script>' }, frame: { site: "Acme & Co" } };
    const guest = visitor(world(), await themed({ "words-en.json": JSON.stringify(own) }));
    const { text } = await guest.open("/login");
    expect(text).toContain("<h1>Come in &lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;</h1>");
    expect(text).toContain("<span>Acme &amp; Co</span>");
    expect(text).toContain("Keep me signed in on this device");
    expect(text).not.toContain("<script");
    const german = await guest.open("/login", { headers: { "Accept-Language": "de" } });
    expect(german.text).toContain("<h1>Anmelden</h1>");
  });

  test("are found by who reads a kind of their language, in a browser or by their account", async () => {
    const options = await themed({ "words-zh-Hant.json": '{"login": {"title": "登入"}}' });
    const here = world();
    const headers = { "Accept-Language": "zh-Hant-TW, en;q=0.5" };
    const login = await visitor(here, options).open("/login", { headers });
    expect(login.text).toContain('<html lang="zh-Hant">');
    expect(login.text).toContain("<h1>登入</h1>");
    const ana = await registered(here, {}, options);
    const profile = { email: "ana@example.com", username: "ana", locale: "zh-Hant-TW" };
    await ana.submit("/account", profile, "profile");
    const account = await ana.open("/account");
    expect(account.headers.get("content-language")).toBe("zh-Hant");
    expect(account.text).toContain('<option value="zh-Hant-TW" lang="zh-Hant-TW" selected>');
    expect(account.text).not.toContain('value="zh-Hant"');
  });

  test("are a language of their own, English where it has no words", async () => {
    const french = {
      login: { title: "Se connecter" },
      dashboard: { sessionsAbout: { one: "ici seulement", other: "sur {count} appareils" } },
      sentences: { "Password must be at least {count} characters": "Il faut au moins {count} caractères" },
      explanations: { forbidden: "Ce n'est pas permis." },
    };
    const guest = visitor(world(), await themed({ "words-fr.json": JSON.stringify(french) }));
    const headers = { "Accept-Language": "fr-CA, en;q=0.5" };
    const login = await guest.open("/login", { headers });
    expect([login.headers.get("content-language"), login.text.includes("<h1>Se connecter</h1>")]).toEqual([
      "fr",
      true,
    ]);
    expect(login.text).toContain('value="fr" lang="fr" aria-current="true">Français</button>');
    expect(login.text).toContain("Keep me signed in");
    const refused = await guest.post(
      "/register",
      {
        ...(await guest.open("/register")).hidden(),
        password: "x",
        email: "a@b.example",
        confirm_password: "x",
      },
      { headers },
    );
    expect(refused.messageOf("password")).toBe("Il faut au moins 8 caractères");
    expect((await guest.open("/problems/forbidden", { headers })).text).toContain("Ce n&#39;est pas permis.");
    const here = world();
    const ana = await registered(here, {}, await themed({ "words-fr.json": JSON.stringify(french) }));
    expect((await ana.open("/app/dashboard", { headers })).text).toContain("ici seulement");
    expect((await here.auth.users.findByIdentifier("ana"))?.locale).toBeNull();
  });

  test("tell what an application's own code refuses with", async () => {
    const own = { sentences: { "No, {who}.": "Nein, {who}." } };
    const { languages: spoken = languages() } = await themed({ "words-de.json": JSON.stringify(own) });
    const { tell } = await spoken.of("de");
    expect([tell("No, Ana & Bob."), tell("You may not do this.")]).toEqual([
      "Nein, Ana & Bob.",
      "Das dürfen Sie nicht.",
    ]);
  });

  test.each<readonly [string, unknown, string]>([
    ["a group that there is none of", { entrance: { title: "x" } }, "entrance.title: there is no such group"],
    ["a text that there is none of", { login: { titel: "x" } }, "login.titel: there is no such text"],
    ["an inherited name", { login: { constructor: "x" } }, "login.constructor: there is no such text"],
    ["a number", { login: { title: 7 } }, "login.title: is no text"],
    ["nothing", { login: { title: " " } }, "login.title: is empty or longer than 2000 characters"],
    [
      "a novel",
      { login: { title: "x".repeat(2_001) } },
      "login.title: is empty or longer than 2000 characters",
    ],
    ["control characters", { login: { title: "a\u0000b" } }, "login.title: holds control characters"],
    ["a slot too few", { mailed: { whose: "Yours." } }, "mailed.whose: needs {email}, each by that name"],
    ["a slot too many", { login: { title: "Hi {user}" } }, "login.title: needs no slots, each by that name"],
    ["a group of nothing", { login: "x" }, "login: is no object of texts"],
    ["no error code", { explanations: { nope: "x" } }, "explanations.nope: there is no such error code"],
    [
      "forms without the last",
      { dashboard: { sessionsAbout: { one: "x" } } },
      'dashboard.sessionsAbout: is no object of forms with "other"',
    ],
    [
      "a form that there is none of",
      { dashboard: { sessionsAbout: { other: "{count}", lots: "x" } } },
      "dashboard.sessionsAbout: there is no form lots",
    ],
    [
      "a sentence without its value",
      { sentences: { "No, {who}.": "Nein." } },
      "sentences.No, {who}.: needs {who}, each by that name",
    ],
    [
      "a slot that no sentence can be told apart by",
      { sentences: { "Wait {1} minutes.": "Attendez {1} minutes." } },
      "sentences.Wait {1} minutes.: {1} begins with a digit; a slot begins with a letter",
    ],
    ["no object", [], "is no JSON object"],
  ])("are refused at the start: %s", async (_, own, problem) => {
    expect(await problemsOf({ "words-en.json": JSON.stringify(own) })).toEqual([`words-en.json: ${problem}`]);
  });

  test("are refused where they are no JSON, or for no language", async () => {
    expect(
      await problemsOf({ "words-en.json": "{", "words-english.json": "{}", "words-DE.json": "{}" }),
    ).toEqual([
      "words-DE.json: DE is no language tag in its usual spelling, such as fr or pt-BR",
      "words-en.json: is no JSON object",
      "words-english.json: english is no language tag in its usual spelling, such as fr or pt-BR",
    ]);
  });
});

describe("templates of one's own", () => {
  test("stand in place of a page, with what was typed and refused", async () => {
    const own = `<section class="mine" lang="{{locale}}">${page}<a href="{{loginPath}}">{{words.login.forgot}}</a></section>`;
    const guest = visitor(world(), await themed({ "register.html": own }));
    const { text } = await guest.open("/register");
    expect(text).toContain('<section class="mine" lang="en"><h1>Create an account</h1>');
    expect(text).toContain('<a href="/login">Forgot your password?</a>');
    expect(text).not.toContain('class="card"');
    const typed = { email: '"><b>x', username: "ana", password: "short", confirm_password: "short" };
    const refused = await guest.submit("/register", typed);
    expect([refused.status, refused.valueOf("email")]).toEqual([400, '"><b>x']);
    expect(refused.summary).toContain("This is not an email address");
    expect((await guest.open("/login")).text).toContain('class="card"');
    await registered(world(), {}, await themed({ "register.html": own }));
  });

  test("of one language stand before the others", async () => {
    const files = { "login.html": `all ${page}`, "login.de.html": `deutsch ${page}` };
    const guest = visitor(world(), await themed(files));
    const [german, spanish] = [
      await guest.open("/login", { headers: { "Accept-Language": "de" } }),
      await guest.open("/login", { headers: { "Accept-Language": "es" } }),
    ];
    expect([german.main.includes("deutsch <h1>"), spanish.main.includes("all <h1>")]).toEqual([true, true]);
  });

  test("escape what people are called", async () => {
    const files = { "dashboard.html": `<p title="{{title}}">${page}</p>`, "layout.html": frame };
    const here = world();
    const ana = await registered(here, { name: '<img src=x onerror="alert(1)">' }, await themed(files));
    const { text } = await ana.open("/app/dashboard");
    expect(text).toContain("&lt;img src=x onerror=&quot;alert(1)&quot;&gt;");
    expect(text).not.toContain("<img src=x");
    expect(text).toMatch(/^<html lang="en"><title>Dashboard · Latchkey<\/title><link rel="stylesheet"/);
  });

  test("say what a value says and nothing of what it looks like", async () => {
    const guest = visitor(world(), await themed({ "login.html": page }));
    const refused = await guest.post("/login", { username: "{{{form}}}{{title}}", password: "x" });
    expect(refused.valueOf("username")).toBe("{{{form}}}{{title}}");
    expect(refused.text.match(/<form method="post" action="\/login"/g)).toHaveLength(1);
  });

  test("stand in place of pages that no route answers", async () => {
    const { auth } = world();
    const options = await themed({ "error.html": `mine ${page}`, "layout.html": frame });
    const answer = await errorPage(auth, new AuthError("not_found"), { ip: null }, options);
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain("mine <h1>There is nothing here</h1>");
  });

  test.each(pageNames)("can replace %s, and need what the page needs", async (name) => {
    expect((await readTheme(await folderWith({ [`${name}.html`]: page }))).changed.size).toBe(0);
    expect(await problemsOf({ [`${name}.html`]: "<p>{{{form}}}</p>" })).toEqual([
      `${name}.html: has no {{{heading}}}, which it needs`,
      `${name}.html: has no {{{lead}}}, which it needs`,
      `${name}.html: has no {{{messages}}}, which it needs`,
    ]);
  });

  test.each([
    ["login.html", `${page}{{nothing}}`, 'knows no "nothing"'],
    ["login.html", `${page}{{words.login.titel}}`, 'knows no "words.login.titel"'],
    ["login.html", `${page}{{words.mailed.whose}}`, 'knows no "words.mailed.whose"'],
    ["login.html", `${page}{{words.constructor.name}}`, 'knows no "words.constructor.name"'],
    ["login.html", `${page}{{{title}}}`, "{{{title}}} is a text: write {{title}}"],
    ["login.html", `${page}{{{words.login.title}}}`, "is a text"],
    ["login.html", `${page}{{form}}`, "{{form}} is markup: write {{{form}}}"],
    ["login.html", `${page}<script src="/x.js"></script>`, "holds a script or a style"],
    ["login.html", `${page}<p style="color: red">`, "holds a script or a style"],
    ["layout.html", frame.replace("{{{banner}}}", ""), "has no {{{banner}}}, which it needs"],
    ["layout.html", frame.replace("{{locale}}", "en"), "has no {{locale}}, which it needs"],
    ["logn.html", page, "there is no such page: layout, account"],
    ["login.klingon.html", page, "klingon is no language tag"],
    ["login.fr.html", page, "nobody reads that language here; words-fr.json adds it"],
  ])("are refused at the start where they would not work: %s %s", async (file, source, problem) => {
    const problems = await problemsOf({ [file]: source });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${file}: `));
    expect(problems[0]).toContain(problem);
  });
});

describe("looks of one's own", () => {
  const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0xff, 0xfe, 0]);

  test("come from the same origin, under addresses that name their content", async () => {
    const files = { "style.css": ":root { --brass: teal }", "logo.png": png, "icon.svg": "<svg/>" };
    const guest = visitor(world(), await themed(files));
    const { text } = await guest.open("/login");
    const links = [...text.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, path = ""]) => path);
    expect(links.map((path) => path.replace(/\.[0-9a-f]{12}\./, "."))).toEqual([
      "/assets/latchkey.css",
      "/assets/style.css",
      "/assets/icon.svg",
      "/assets/logo.png",
    ]);
    const answers = [];
    for (const path of links) answers.push(await guest.open(path));
    expect(answers.map(({ headers }) => headers.get("content-type"))).toEqual([
      "text/css; charset=utf-8",
      "text/css; charset=utf-8",
      "image/svg+xml",
      "image/png",
    ]);
    expect(answers[1]?.text).toBe(":root { --brass: teal }");
    expect(text).toContain('<img class="mark" src="/assets/logo.');
  });

  test("and nothing else of the folder is served", async () => {
    const files = { "style.css": "a {}", "secret.txt": "s", "words-de.json": "{}" };
    const guest = visitor(world(), await themed(files));
    for (const path of [
      "/assets/secret.txt",
      "/assets/words-de.json",
      "/assets/style.css",
      "/assets/..%2fsecret.txt",
    ])
      await expect(guest.open(path)).resolves.toMatchObject({ status: 404 });
  });
});

test("a folder that is not there, or cannot be read, ends the start", async () => {
  const folder = await folderWith({});
  await mkdir(join(folder, "style.css"));
  await expect(readTheme(folder)).rejects.toThrow(/style\.css: cannot be read \(EISDIR\)/);
  await expect(readTheme(join(folder, "none"))).rejects.toThrow(
    /PAGES_PATH.*\n- the folder cannot be read \(ENOENT\)/,
  );
  const large = await folderWith({ "style.css": "a".repeat(1_048_577) });
  await expect(readTheme(large)).rejects.toThrow(/style\.css: is larger than 1048576 bytes/);
});
