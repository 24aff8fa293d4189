import { describe, expect, test } from "vitest";
import { password, world } from "../support/world.ts";
import { registered, visitor } from "./visitor.ts";

const form = "application/x-www-form-urlencoded";

describe.each(["/login", "/register", "/account"])("what is posted to %s", (path) => {
  async function post(body: BodyInit, type: string): Promise<readonly [status: number, text: string]> {
    const here = world();
    const who = path === "/account" ? await registered(here) : visitor(here);
    const page = await who.post(path, {}, { form: undefined, body, headers: { "Content-Type": type } });
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(here.heard("session.started")).toHaveLength(path === "/account" ? 1 : 0);
    return [page.status, page.text];
  }

  test("has each field once", async () => {
    const [status, text] = await post("username=ana&password=x&username=bob", form);
    expect(status).toBe(400);
    expect(text).toContain("The field is given twice.");
  });

  test("is a form: JSON, files and text are not", async () => {
    const files = new FormData();
    files.set("username", "ana");
    const { headers } = new Response(files);
    for (const [body, type] of [
      ['{"username":"ana"}', "application/json"],
      ["username=ana", "text/plain"],
      ["username=ana", `${form}; charset=utf-16`],
      [files, headers.get("content-type") ?? ""],
    ] as const) {
      const here = world();
      const who = path === "/account" ? await registered(here) : visitor(here);
      const page = await who.post(path, {}, { form: undefined, body, headers: { "Content-Type": type } });
      expect([page.status, type]).toEqual([415, type]);
    }
  });

  test("is not larger than any form", async () => {
    expect((await post(`username=${"a".repeat(70_000)}`, form))[0]).toBe(413);
  });

  test("holds no NUL and no half characters", async () => {
    expect((await post("username=a%00b", form))[0]).toBe(400);
    expect((await post(new Uint8Array([0x61, 0x3d, 0xff]), form))[0]).toBe(400);
  });
});

test("a password of ten kilobytes is refused before it is hashed", async () => {
  const here = world();
  const guest = visitor(here);
  const page = await guest.submit("/login", { username: "ana", password: "x".repeat(10_000) });
  expect([page.status, page.messageOf("password")]).toEqual([400, "Password is too long"]);
  const typed = {
    email: "a@example.com",
    password: "x".repeat(10_000),
    confirm_password: "x".repeat(10_000),
  };
  expect((await guest.submit("/register", typed)).status).toBe(400);
  expect(here.threads.hashes()).toBe(0);
});

test("a program that reads no pages gets problem documents, and signs in all the same", async () => {
  const here = world();
  await registered(here);
  const program = visitor(here);
  const headers = { Accept: "application/json", "Sec-Fetch-Mode": null };
  const refused = await program.post("/login", { username: "ana", password: "wrong" }, { headers });
  expect([refused.status, refused.body.code]).toEqual([401, "invalid_credentials"]);
  const stranger = await program.open("/account", { headers });
  expect([stranger.status, stranger.body.code]).toEqual([401, "not_authenticated"]);
  const stale = await program.post("/register", { email: "a@example.com", password }, { headers });
  expect([stale.status, stale.body.code]).toEqual([403, "form_token_stale"]);
  expect((await program.post("/login", { username: "ana", password }, { headers })).status).toBe(303);
});
