import { expect, onTestFinished, test } from "vitest";
import { serveHere } from "./support/here-server.ts";

test("a provider that the settings name stands on the sign-in page; the others' routes say what to set", async () => {
  const server = await serveHere({
    GITHUB_CLIENT_ID: "Iv1.8a61f9b3a7aba766",
    GITHUB_CLIENT_SECRET: "canary",
  });
  onTestFinished(() => server.remove());
  const browser = server.browser();
  const { text } = await browser.get("/login", { headers: { Accept: "text/html" } });
  expect(text).toContain('href="/api/v1/auth/oauth/github">Continue with GitHub</a>');
  expect(text).not.toContain("Google");
  const { status, body } = await browser.get("/api/v1/auth/oauth/google");
  expect([status, body.detail]).toEqual([404, expect.stringContaining("GOOGLE_CLIENT_ID")]);
  // GitHub's addresses are known: nothing is asked before the browser goes there.
  const begun = await browser.get("/api/v1/auth/oauth/github", {
    headers: { "Sec-Fetch-Mode": "navigate", Accept: "text/html" },
  });
  const url = new URL(begun.headers.get("location") ?? "");
  expect([begun.status, url.origin + url.pathname]).toEqual([
    302,
    "https://github.com/login/oauth/authorize",
  ]);
  expect(url.searchParams.get("redirect_uri")).toBe(`${server.origin}/api/v1/auth/oauth/callback/github`);
  // The terminal has the address, the link and these.
  const written = server.warnings.join() + server.stderr();
  expect(written).not.toContain("canary");
  expect(written).not.toContain(url.searchParams.get("state"));
});
