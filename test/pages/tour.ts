import type { Permission } from "../../src/domain/user.ts";
import { apiKeys } from "../../src/features/api-keys.ts";
import { oauth, oidc } from "../../src/features/oauth.ts";
import { admin, users } from "../administration/staff.ts";
import { mailWorld } from "../support/mail.ts";
import { password, world } from "../support/world.ts";
import { type Page, type Visitor, visitor } from "./visitor.ts";

/** A page in one state, as somebody saw it. */
export interface Stop {
  readonly name: string;
  readonly page: Page;
}

const email = "ana@example.com";
const next = "another good pass phrase";
const chosen = { new_password: next, confirm_password: next };
const short = { new_password: "short", confirm_password: "other" };

/** Takes somebody who reads one language through every page, and most of the states that each can be in. Runs within a test. */
export async function tour(locale: string): Promise<readonly Stop[]> {
  const stops: Stop[] = [];
  const site = openSite(locale);
  const at = async (name: string, page: Page | Promise<Page>): Promise<Page> => {
    const seen = await page;
    stops.push({ name, page: seen });
    return seen;
  };
  await asGuest(site, at);
  await byMail(site, at);
  await withAccount(site, at);
  await forAnother(site, at);
  await inCookies(locale, at);
  return stops;
}

type At = (name: string, page: Page | Promise<Page>) => Promise<Page>;
type Site = ReturnType<typeof openSite>;

function openSite(locale: string) {
  const keys = apiKeys();
  const issuer = "https://localhost:9";
  const corp = oidc({ name: "corp", label: "Corp", issuer, clientId: "x" });
  const providers = oauth({ providers: [corp] });
  const here = mailWorld({ features: [keys, admin, providers], registration: "confirm" });
  const [administration, mail] = [here.auth.use(admin), here.mail];
  const options = { mail, administration, apiKeys: here.auth.use(keys), oauth: here.auth.use(providers) };
  const open = (): Visitor => visitor(here, options, { "Accept-Language": locale });
  const mailed = async (to = email): Promise<string> => {
    await here.delivered();
    const { pathname, search } = here.sink.link(to);
    return pathname + search;
  };
  const signedIn = async (username: string, secret: string = password): Promise<Visitor> => {
    const person = open();
    const { status } = await person.submit("/login", { username, password: secret });
    if (status !== 303) throw new Error(`signing in answered ${status}`);
    return person;
  };
  return { here, open, mailed, signedIn };
}

/** Follows a link that carries a token to the page behind it. */
async function follow(person: Visitor, link: string): Promise<Page> {
  const { location } = await person.open(link);
  return person.open(location ?? "/");
}

async function asGuest({ here, open }: Site, at: At): Promise<void> {
  const guest = open();
  await at("sign-in", guest.open("/login?next=/account"));
  await at("sign-in, empty", guest.post("/login", { username: "", password: "" }));
  await at("sign-in, refused", guest.post("/login", { username: "nobody", password }));
  for (const done of ["signed-out", "signed-out-everywhere", "registered", "deleted", "erased"])
    await at(`sign-in, ${done}`, guest.open(`/login?done=${done}`));
  for (const code of [
    ...["provider_refused", "provider_unavailable", "email_taken", "registration_closed", "forbidden"],
    ...["session_expired", "fresh_auth_required", "conflict", "rate_limited", "overloaded"],
    ...["store_unavailable"],
  ])
    await at(`refused by a provider: ${code}`, guest.open(`/login?refused=${code}&provider=corp`));
  await at("registration", guest.open("/register"));
  const bad = { email: "x", username: "!", name: "n".repeat(300), password: "short", confirm_password: "y" };
  await at("registration, refused", guest.submit("/register", bad));
  const typed = { email: "", password: "password1", confirm_password: "password1" };
  await at("registration, too common", guest.submit("/register", typed));
  await at("registration, sent twice", guest.post("/register", { ...typed, _token: "x" }));
  const token = await here.auth.users.issueSetupToken();
  const founder = open();
  await at("set-up", follow(founder, `/setup?token=${token}`));
  await at("set-up, refused", founder.submit("/setup", bad));
  for (const path of ["/setup", "/reset", "/magic", "/verify", "/undo", "/end-session", "/invite"])
    await at(`useless link: ${path}`, guest.open(`${path}?token=%20`));
  await at("error codes", guest.open("/problems"));
  const codes = stopsOf(await guest.open("/problems"));
  for (const code of codes) await at(`error code ${code}`, guest.open(`/problems/${code}`));
  await at("not found", guest.open("/problems/nothing"));
  await at("from another site", guest.post("/login", {}, { headers: { "Sec-Fetch-Site": "cross-site" } }));
}

const stopsOf = ({ text }: Page): readonly string[] =>
  [...text.matchAll(/href="\/problems\/(\w+)"/g)].map(([, code = ""]) => code);

async function byMail({ here, open, mailed, signedIn }: Site, at: At): Promise<void> {
  const { id } = await here.auth.users.create({ email, username: "ana", name: "Ana", password });
  const ana = open();
  await at("a link asked for", ana.open("/reset?new=1"));
  await at("a link asked for, refused", ana.submit("/reset", { email: "x" }));
  await at("a link on its way", ana.open("/reset?done=asked"));
  await at("a password to choose", follow(ana, `/reset?token=${await here.auth.users.issueResetToken(id)}`));
  await at("a password to choose, refused", ana.submit("/reset", short));
  await at("a password chosen", ana.open("/reset?done=1"));
  await at("sign-in by mail", ana.open("/magic?new=1"));
  await at("sign-in by mail, on its way", ana.open("/magic?done=asked"));
  await at("sign-in by code", ana.submit("/magic?new=1", { email, by: "code" }));
  await at("sign-in by code, refused", ana.post("/magic", { ...(await codeForm(ana)), code: "0" }));
  const guest = open();
  const pending = { email: "new@example.com", password, confirm_password: password };
  await at("registration, pending", guest.submit("/register", pending));
  await at("registration, to be completed", follow(open(), await mailed("new@example.com")));
  const other = open();
  await other.open(await mailed("new@example.com"));
  await at("registration, without its password", other.submit("/verify", {}));
  await at("confirmed", guest.open("/verify?done=1"));
  await at("taken back", guest.open("/undo?done=1"));
  await at("session ended", guest.open("/end-session?done=1"));
  const person = await signedIn("ana");
  // First the notice of this sign-in: of two mails that go out together either may be the newest.
  await here.delivered();
  await person.submit("/account", {}, "confirm");
  await at("an address to confirm", follow(person, await mailed()));
  await at("an address to confirm, signed out", follow(open(), await mailed()));
  const { status } = await person.submit("/verify", {});
  if (status !== 303) throw new Error(`confirming answered ${status}`);
  await ana.submit("/magic?new=1", { email, by: "link" });
  const link = await mailed();
  await at("sign-in by link", follow(open(), link));
  const bob = await bobIn({ here, signedIn });
  await at("sign-in by link, as somebody else", follow(bob, link));
  await at("a session to end", follow(open(), await noticeOf({ here, mailed, signedIn })));
}

async function codeForm(person: Visitor): Promise<Record<string, string>> {
  return (await person.submit("/magic?new=1", { email, by: "code" })).hidden("code");
}

async function bobIn({ here, signedIn }: Pick<Site, "here" | "signedIn">): Promise<Visitor> {
  await here.plant({ username: "bob", email: "bob@example.com", name: null });
  return signedIn("bob");
}

/** The link of a mail about a sign-in in a new browser. */
async function noticeOf({ mailed, signedIn }: Pick<Site, "here" | "mailed" | "signedIn">): Promise<string> {
  await signedIn("ana");
  return mailed();
}

async function withAccount({ here, mailed, open, signedIn }: Site, at: At): Promise<void> {
  const found = await here.auth.users.findByIdentifier("ana");
  if (found === null) throw new Error("nobody is called ana");
  const changes = { permissions: ["invoice:read"] as Permission[], isSuperuser: true };
  await here.write({ kind: "user.update", userId: found.id, version: found.version, changes });
  const ana = await signedIn("ana");
  await at("dashboard", ana.open("/app/dashboard"));
  await at("account", ana.open("/account"));
  for (const done of [
    "profile",
    "address",
    "confirm",
    "password",
    "linked",
    "unlinked",
    "key",
    "session",
    "sessions",
  ])
    await at(`account, done: ${done}`, ana.open(`/account?done=${done}`));
  const bad = { email: "x", username: "!", name: "n".repeat(300), locale: "?" };
  await at("profile, refused", ana.submit("/account", bad, "profile"));
  await at("profile, name taken", ana.submit("/account", { email, username: "bob", name: "Ana" }, "profile"));
  await at("password, refused", ana.submit("/account", { ...short, current_password: "" }, "password"));
  const wrong = { current_password: "wrong password", ...chosen };
  await at("password, wrong", ana.submit("/account", wrong, "password"));
  await at("key, refused", ana.submit("/account", { key_name: "" }, "new-key"));
  const key = { key_name: "Deploy", "may-invoice:read": "on" };
  await at("key, made", ana.submit("/account", key, "new-key"));
  await at("account with a key", ana.open("/account"));
  await at("provider out of order", ana.submit("/account", { link: "corp" }, "accounts"));
  await at("session that is not there", ana.submit("/account", { session: "x" }, "sessions"));
  await at("unknown form", ana.submit("/account", { form: "x" }, "profile"));
  await at("deletion", ana.open("/account/delete"));
  await at("deletion, empty", ana.submit("/account/delete", { password: "" }));
  await at("deletion, refused", ana.submit("/account/delete", { password: "wrong password" }));
  await at("unauthorized", ana.open("/unauthorized"));
  await at("sign-out", ana.open("/logout"));
  await at("forged", ana.post("/account", { form: "profile" }));
  here.clock.advance(1_200);
  await at("account, a while later", ana.open("/account"));
  const moved = { email: "ana@new.example", username: "ana", name: "Ana" };
  await at("profile, to be proven", ana.submit("/account", moved, "profile"));
  await at("link, to be proven", ana.submit("/account", { link: "corp" }, "accounts"));
  await ana.submit("/account", { ...moved, password }, "profile");
  await at("an address to be changed", follow(ana, await mailed("ana@new.example")));
  await ana.submit("/verify", {});
  await at("an address to be changed back", follow(open(), await mailed()));
}

async function forAnother({ here, open, signedIn }: Site, at: At): Promise<void> {
  const { token } = await here.auth.use(admin).operator.invite({ email: "guest@example.com" });
  const guest = open();
  await at("invitation", follow(guest, `/invite?token=${token}`));
  await at("invitation, refused", guest.submit("/invite", { password: "short", confirm_password: "x" }));
  const permissions = ["user:impersonate"] as Permission[];
  await here.plant({ username: "boss", email: "boss@example.com", permissions });
  await here.plant({ username: "cy", email: "cy@example.com", mustChangePassword: true });
  const boss = await signedIn("boss");
  await boss.browser.post(`${users}/bob/impersonate`);
  await at("acting for somebody", boss.open("/account"));
  await at("acting for somebody, refused", boss.submit("/account", { name: "x" }, "profile"));
  const bob = await signedIn("bob");
  await at("sessions, one of an administrator", bob.open("/account"));
  const cy = await signedIn("cy");
  await at("another password first", cy.open("/account"));
  await at("another password first, refused", cy.post("/account", { form: "profile" }));
}

/** What is said otherwise where no store keeps the sessions of browsers. */
async function inCookies(locale: string, at: At): Promise<void> {
  const here = world({ session: { mode: "stateless" } });
  await here.plant({ username: "ana", email, name: "Ana" });
  const ana = visitor(here, {}, { "Accept-Language": locale });
  await ana.submit("/login", { username: "ana", password });
  for (const path of ["/app/dashboard", "/account", "/logout"])
    await at(`sessions in cookies: ${path}`, ana.open(path));
}
