import { describe, expect, test } from "vitest";
import { tokens } from "../../src/features/tokens.ts";
import { cookieName, password, type World, type WorldOptions, world } from "../support/world.ts";
import { registered, type Visitor, visitor } from "./visitor.ts";

const app = "/app/dashboard";
const endOthers = "End all other sessions";

function stateless(options: WorldOptions = {}): World {
  return world({ ...options, session: { mode: "stateless" } });
}

/** Somebody else with a copy of the cookies of this moment. */
function thief(here: World, { browser }: Visitor): Visitor {
  const other = visitor(here);
  for (const [name, value] of browser.jar) other.browser.jar.set(name, value);
  return other;
}

const isIn = async (person: Visitor): Promise<boolean> => (await person.open(app)).status === 200;

describe("where cookies hold the sessions", () => {
  test("the account lists no browsers and says so; its button ends all others, and this one goes on", async () => {
    const here = stateless();
    const ana = await registered(here);
    const other = thief(here, ana);
    const page = await ana.open("/account");
    expect(page.main).toContain("there is no complete list");
    expect(page.main).toContain(endOthers);
    expect(page.main).not.toContain('<ul class="sessions">');
    expect(page.main).not.toContain("Where you are signed in.");
    const answer = await ana.post("/account", page.hidden("sessions"));
    expect(answer).toMatchObject({ status: 303, location: "/account?done=sessions#sessions" });
    expect([await isIn(ana), await isIn(other)]).toEqual([true, false]);
    expect((await ana.open("/account?done=sessions")).main).toContain("Every other session has ended.");
  });

  test("the account lists sessions of tokens, which end one by one", async () => {
    const here = stateless({ features: [tokens()] });
    const ana = await registered(here);
    await here.browser().post("/api/v1/auth/token", { username: "ana", password });
    const page = await ana.open("/account");
    expect(page.main.match(/<div class="session">/g)).toHaveLength(1);
    expect(page.main).not.toContain("This device");
    expect(page.main).toContain(endOthers);
    const answer = await ana.post("/account", page.hidden("sessions"));
    expect(answer).toMatchObject({ status: 303, location: "/account?done=session#sessions" });
    expect((await ana.open("/account")).main).not.toContain('<div class="session">');
  });

  test("the dashboard counts nothing, and asks no store for it", async () => {
    const here = stateless();
    const ana = await registered(here);
    here.recorder.calls.length = 0;
    const { main } = await ana.open(app);
    expect(main).toContain("End them on every other device");
    expect(main).not.toContain("You are signed in on");
    expect(here.recorder.trace().filter((call) => call.startsWith("sessions."))).toEqual([]);
  });

  test("signing out promises this browser alone: a copy of the cookie works on, and the page had said so", async () => {
    const here = stateless();
    const ana = await registered(here);
    const other = thief(here, ana);
    expect((await ana.open("/logout")).main).toContain("could use it until it expires");
    expect(await ana.submit("/logout", {})).toMatchObject({
      status: 303,
      location: "/login?done=signed-out",
    });
    expect(ana.browser.jar.has(cookieName)).toBe(false);
    expect([await isIn(ana), await isIn(other)]).toEqual([false, true]);
  });

  test("signing out everywhere ends every copy at once", async () => {
    const here = stateless();
    const ana = await registered(here);
    const other = thief(here, ana);
    expect((await ana.open("/logout")).main).toContain(
      '<button type="submit" name="everywhere" value="on">Sign out everywhere</button>',
    );
    const answer = await ana.submit("/logout", { everywhere: "on" });
    expect(answer).toMatchObject({ status: 303, location: "/login?done=signed-out-everywhere" });
    expect(ana.browser.jar.has(cookieName)).toBe(false);
    expect([await isIn(ana), await isIn(other)]).toEqual([false, false]);
    expect((await ana.open(answer.location ?? "")).main).toContain("You are signed out everywhere.");
  });

  test("nobody is told to be signed out everywhere who was not: a session that had ended, another site's form", async () => {
    const here = stateless();
    const ana = await registered(here);
    const [late, other] = [thief(here, ana), thief(here, ana)];
    const form = { ...(await late.open("/logout")).hidden(), everywhere: "on" };
    const refused = await other.post("/logout", { everywhere: "on" });
    expect([refused.status, await isIn(ana)]).toEqual([403, true]);
    await ana.submit("/logout", { everywhere: "on" });
    const tooLate = await late.post("/logout", form);
    expect([tooLate.status, tooLate.location]).toEqual([401, null]);
  });

  test("pages alone keep a session going: the later idle limit comes with them", async () => {
    const here = stateless();
    const ana = await registered(here);
    for (let minutes = 0; minutes < 60; minutes += 20) {
      here.clock.advance(20 * 60);
      expect([minutes, await isIn(ana)]).toEqual([minutes, true]);
    }
    here.clock.advance(30 * 60);
    expect(await isIn(ana)).toBe(false);
  });
});

test("where a store keeps them the sign-out page has its one button", async () => {
  const { main } = await (await registered(world())).open("/logout");
  expect(main.match(/<button/g)).toHaveLength(1);
  expect(main).not.toContain("until it expires");
});
