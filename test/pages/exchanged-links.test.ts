import { describe, expect, test } from "vitest";
import { admin } from "../administration/staff.ts";
import { type MailWorld, mailWorld } from "../support/mail.ts";
import { cookieName, password } from "../support/world.ts";
import { type Visitor, visitor } from "./visitor.ts";

/** Makes the link that a page is for, to an account or an address with this name. */
type LinkFor = (here: MailWorld, name: string) => Promise<string>;

const next = "another good pass phrase";
const chosen = { new_password: next, confirm_password: next };
const registering = { password, confirm_password: password };

const open = (here: MailWorld): Visitor =>
  visitor(here, { mail: here.mail, administration: here.auth.use(admin) });
const emailOf = (name: string): string => `${name}@example.com`;

async function planted(here: MailWorld, username: string): Promise<string> {
  const email = emailOf(username);
  const { id } = await here.plant({ email, emailKey: email, emailVerified: true, username });
  return id;
}

async function linkTo(here: MailWorld, email: string): Promise<string> {
  await here.delivered();
  const { pathname, search } = here.sink.link(email);
  return pathname + search;
}

const setup: LinkFor = async (here) => `/setup?token=${await here.auth.users.issueSetupToken()}`;

const reset: LinkFor = async (here, name) =>
  `/reset?token=${await here.auth.users.issueResetToken(await planted(here, name))}`;

const magic: LinkFor = async (here, name) => {
  await planted(here, name);
  await open(here).submit("/magic", { email: emailOf(name), by: "link" });
  return linkTo(here, emailOf(name));
};

const verify: LinkFor = async (here, name) => {
  const typed = { email: emailOf(name), username: name, name: "", ...registering };
  await open(here).submit("/register", typed);
  return linkTo(here, emailOf(name));
};

const undo: LinkFor = async (here, name) => {
  await planted(here, name);
  const thief = open(here);
  await thief.submit("/login", { username: name, password });
  const email = `thief-of-${emailOf(name)}`;
  await thief.submit("/account", { name: "", username: name, email }, "profile");
  await thief.open(await linkTo(here, email));
  await thief.submit("/verify", {});
  return linkTo(here, emailOf(name));
};

const endSession: LinkFor = async (here, name) => {
  await planted(here, name);
  // The first browser of an account is nothing to write about.
  for (let browsers = 0; browsers < 2; browsers++)
    await open(here).submit("/login", { username: name, password });
  return linkTo(here, emailOf(name));
};

const invite: LinkFor = async (here, name) => {
  await here.auth.use(admin).operator.invite({ email: emailOf(name) });
  return linkTo(here, emailOf(name));
};

const fromElsewhere = { "Sec-Fetch-Site": "cross-site", Referer: "https://evil.example/" };

interface Case {
  readonly path: string;
  readonly linkFor: LinkFor;
  readonly typed: Readonly<Record<string, string>>;
  /** Whether the page says whom its link is for. */
  readonly isNamed: boolean;
}

describe.each<Case>([
  { path: "/setup", linkFor: setup, typed: { email: "root@example.com", ...registering }, isNamed: false },
  { path: "/reset", linkFor: reset, typed: chosen, isNamed: true },
  { path: "/magic", linkFor: magic, typed: {}, isNamed: true },
  { path: "/verify", linkFor: verify, typed: { password }, isNamed: true },
  { path: "/undo", linkFor: undo, typed: chosen, isNamed: true },
  { path: "/end-session", linkFor: endSession, typed: {}, isNamed: true },
  { path: "/invite", linkFor: invite, typed: { username: "", name: "", ...registering }, isNamed: true },
])("the open page $path", ({ path, linkFor, typed, isNamed }) => {
  test("does nothing with another link that another site has brought in since, and says what it is about now", async () => {
    const here = mailWorld({ registration: "confirm", features: [admin] });
    const [own, others] = [await linkFor(here, "ana"), await linkFor(here, "mallory")];
    const ana = open(here);
    await ana.open(own);
    const shown = await ana.open(path);
    expect([shown.status, shown.main.includes("ana")]).toEqual([200, isNamed]);

    const brought = await ana.open(others, { headers: fromElsewhere });
    expect([brought.status, brought.location]).toEqual([303, path]);
    const again = await ana.post(path, { ...shown.hidden(), ...typed });
    expect([again.status, again.summary]).toEqual([403, expect.stringContaining("Invalid form token")]);
    expect([again.main.includes("mallory"), again.main.includes("ana@")]).toEqual([isNamed, false]);
    expect(ana.browser.jar.has(cookieName)).toBe(false);

    // Nothing was spent: the link does what its page says, once that was read.
    expect((await ana.post(path, { ...again.hidden(), ...typed })).status).toBe(303);
  });

  test("works with the link that it was shown for, also where that was opened twice", async () => {
    const here = mailWorld({ registration: "confirm", features: [admin] });
    const own = await linkFor(here, "ana");
    const ana = open(here);
    await ana.open(own);
    const shown = await ana.open(path);
    await ana.open(own);
    expect((await ana.post(path, { ...shown.hidden(), ...typed })).status).toBe(303);
  });
});

test.each<Omit<Case, "isNamed">>([
  { path: "/magic", linkFor: magic, typed: {} },
  { path: "/reset", linkFor: reset, typed: chosen },
])("the form of $path that asks for a mail opens no link", async ({ path, linkFor, typed }) => {
  const here = mailWorld({ features: [admin] });
  const ana = open(here);
  const { _token = "" } = (await ana.open(`${path}?new=1`)).hidden();
  await ana.open(await linkFor(here, "mallory"), { headers: fromElsewhere });
  expect((await ana.post(path, { _token, ...typed })).status).toBe(403);
  expect(ana.browser.jar.has(cookieName)).toBe(false);
});
