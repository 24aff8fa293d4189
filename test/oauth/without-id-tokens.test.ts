import type { ServerResponse } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { discord, github, type Provider } from "../../src/features/oauth.ts";
import { type StandInRequest, sendJson, standIn } from "./stand-in.ts";
import { attemptCookie, begin, bring, oauthWorld, refusals, sessionCookie } from "./steps.ts";

const credentials = { clientId: "Iv1.8a61f9b3a7aba766", clientSecret: "a client secret" };
type Answers = Readonly<Record<string, (request: StandInRequest, response: ServerResponse) => void>>;

/** GitHub as its documentation shows it; `changes` answers in the place of one of its addresses. */
async function githubStandIn(
  changes: Answers = {},
): Promise<{ readonly provider: Provider; readonly url: string }> {
  const token = "gho_16C7e42F292c6912E7710c838347Ae178B4a";
  const isOpen = ({ headers }: StandInRequest): boolean => headers.authorization === `Bearer ${token}`;
  const answers: Answers = {
    "/login/oauth/access_token": ({ form, headers }, response) => {
      // Errors come with status 200.
      if (form.get("code") !== "e72e16c7e42f292c6912" || form.get("client_secret") !== "a client secret")
        return sendJson(response, { error: "bad_verification_code", error_description: "…" });
      if (!form.get("code_verifier") || !headers.accept?.includes("json"))
        return sendJson(response, { error: "incorrect_client_credentials" });
      sendJson(response, { access_token: token, token_type: "bearer", scope: "read:user,user:email" });
    },
    "/api/v3/user": (request, response) => {
      if (!isOpen(request)) return sendJson(response, { message: "Requires authentication" }, 401);
      sendJson(response, {
        login: "octocat",
        id: 583231,
        node_id: "MDQ6VXNlcjU4MzIzMQ==",
        name: "The Octocat",
        email: "shown@example.com",
        type: "User",
      });
    },
    "/api/v3/user/emails": (request, response) => {
      if (!isOpen(request)) return sendJson(response, { message: "Requires authentication" }, 401);
      sendJson(response, [
        { email: "old@example.com", verified: true, primary: false, visibility: null },
        { email: "octocat@example.com", verified: true, primary: true, visibility: "private" },
      ]);
    },
    ...changes,
  };
  const server = await standIn((request, response) => {
    const answer = answers[request.url.pathname];
    if (answer === undefined) return sendJson(response, { message: "Not Found" }, 404);
    answer(request, response);
  });
  onTestFinished(() => server.close());
  const provider = { ...github({ ...credentials, url: server.url }), dangerouslyAllowHttp: true };
  return { provider, url: server.url };
}

async function signInAt(provider: Provider, code = "e72e16c7e42f292c6912") {
  const at = oauthWorld([], { feature: { providers: [provider] } });
  const browser = at.browser();
  const url = new URL(await begin(browser, "", provider.name));
  const answer = new URLSearchParams({ code, state: url.searchParams.get("state") ?? "" });
  return { at, browser, url, answer: await bring(browser, answer, { name: provider.name }) };
}

describe("GitHub, which has no ID tokens", () => {
  test("tells by its API who it is, and which address is verified", async () => {
    const { provider, url: github } = await githubStandIn();
    const { at, url, answer } = await signInAt(provider);
    expect(url.searchParams.has("nonce")).toBe(false);
    expect(url.searchParams.get("code_challenge_method")).toBe("S256");
    expect([answer.status, answer.body.user]).toMatchObject([
      200,
      { email: "octocat@example.com", email_verified: true, name: "The Octocat" },
    ]);
    const [account] = await at.auth.use(at.oauth).accounts(String(answer.body.user?.id));
    expect(account).toMatchObject({ subject: "583231", issuer: `${github}/login/oauth` });
  });

  test.each([
    [
      "the primary address is not verified",
      [
        { email: "octocat@example.com", verified: false, primary: true },
        { email: "old@example.com", verified: true, primary: false },
      ],
      [200, false],
    ],
    ["no address is primary", [{ email: "old@example.com", verified: true }], [400, undefined]],
    ["there is none", [], [400, undefined]],
    ["the list is none", { message: "Not Found" }, [400, undefined]],
  ])("never takes another address where %s", async (_when, emails, wanted) => {
    const { provider } = await githubStandIn({
      "/api/v3/user/emails": (_request, response) => sendJson(response, emails),
    });
    const { answer } = await signInAt(provider);
    expect([answer.status, answer.body.user?.email_verified]).toEqual(wanted);
  });

  test.each([
    ["a code that it refuses with status 200", {}, "guessed", "response_malformed", 400],
    [
      "an API that asks who we are",
      { "/api/v3/user": (_: StandInRequest, response: ServerResponse) => sendJson(response, {}, 401) },
      undefined,
      "http_status",
      502,
    ],
    [
      "a person without an id",
      { "/api/v3/user": (_: StandInRequest, response: ServerResponse) => sendJson(response, { id: "x" }) },
      undefined,
      "profile_missing",
      400,
    ],
    [
      "an API that answers with what is no JSON",
      { "/api/v3/user": (_: StandInRequest, response: ServerResponse) => void response.end("<p>") },
      undefined,
      "response_malformed",
      400,
    ],
    [
      "an API that redirects",
      {
        "/api/v3/user": (_: StandInRequest, response: ServerResponse) =>
          void response.writeHead(301, { Location: "https://evil.example/" }).end(),
      },
      undefined,
      "redirected",
      502,
    ],
  ])("%s is refused", async (_what, changes, code, reason, status) => {
    const { provider } = await githubStandIn(changes);
    const { at, browser, answer } = await signInAt(provider, code);
    expect([answer.status, await refusals(at)]).toEqual([status, [reason]]);
    expect([browser.jar.has(sessionCookie), browser.jar.has(attemptCookie)]).toEqual([false, true]);
  });

  test("an answer that names another issuer is refused", async () => {
    const { provider } = await githubStandIn();
    const at = oauthWorld([], { feature: { providers: [provider] } });
    const browser = at.browser();
    const state = new URL(await begin(browser, "", "github")).searchParams.get("state") ?? "";
    const answer = new URLSearchParams({ code: "e72e16c7e42f292c6912", state, iss: "https://evil.example" });
    expect((await bring(browser, answer, { name: "github" })).status).toBe(400);
    expect(await refusals(at)).toEqual(["response_iss"]);
  });
});

test("Discord tells by its API who it is", async () => {
  const server = await standIn(({ url, headers }, response) => {
    if (url.pathname === "/api/oauth2/token")
      return sendJson(response, { access_token: "opens", token_type: "Bearer", expires_in: 604_800 });
    if (headers.authorization !== "Bearer opens") return sendJson(response, {}, 401);
    const user = { id: "80351110224678912", username: "nelly", global_name: "Nelly", verified: true };
    sendJson(response, { ...user, email: "nelly@example.com" });
  });
  onTestFinished(() => server.close());
  const real = discord(credentials);
  if (real.server.kind !== "fixed") throw new Error("Discord has no discovery");
  const provider: Provider = {
    ...real,
    server: {
      ...real.server,
      authorizationEndpoint: `${server.url}/oauth2/authorize`,
      tokenEndpoint: `${server.url}/api/oauth2/token`,
      resources: { user: `${server.url}/api/users/@me` },
    },
    dangerouslyAllowHttp: true,
  };
  const { answer } = await signInAt(provider);
  expect([answer.status, answer.body.user]).toMatchObject([
    200,
    { email: "nelly@example.com", email_verified: true, name: "Nelly" },
  ]);
});
