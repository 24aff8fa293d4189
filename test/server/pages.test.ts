import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startServer } from "../../server/embedding.ts";

const html = { Accept: "text/html" };

async function environment(words: string): Promise<Readonly<Record<string, string>>> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-own-pages-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "words-es.json"), words);
  await writeFile(join(folder, "style.css"), "main { color: teal }");
  return {
    PORT: "0",
    DATABASE_URL: `sqlite://${folder}/app.db`,
    SECRET_KEY: "a secret for tests of thirty-two bytes",
    LOG_LEVEL: "silent",
    DEFAULT_LOCALE: "es",
    PAGES_PATH: folder,
  };
}

test("the server speaks its language, in the words and styles of its folder, on every page it answers", async () => {
  const { origin, stop } = await startServer({ environment: await environment('{"frame":{"site":"Casa"}}') });
  onTestFinished(stop);
  for (const path of ["/login", "/nothing/here"]) {
    const answer = await fetch(origin + path, { headers: html });
    const text = await answer.text();
    expect([path, answer.headers.get("content-language")]).toEqual([path, "es"]);
    expect(text).toContain("<span>Casa</span>");
    const style = /href="(\/assets\/style\.[^"]+)"/.exec(text)?.[1];
    const css = await fetch(`${origin}${style}`);
    expect([css.status, await css.text()]).toEqual([200, "main { color: teal }"]);
    expect(css.headers.get("content-security-policy")).toContain("default-src 'none'");
  }
  const problem = await fetch(`${origin}/api/v1/users/me`, { headers: { "Accept-Language": "es" } });
  expect(await problem.json()).toMatchObject({ code: "not_authenticated", detail: "Sign in to continue." });
});

test("the server does not start with pages that it cannot use, and says which", async () => {
  const started = startServer({ environment: await environment('{"login":{"titel":"x"}}') });
  await expect(started).rejects.toThrow(
    /PAGES_PATH.*\n- words-es\.json: login\.titel: there is no such text$/,
  );
});
