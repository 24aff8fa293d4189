import { expect, test } from "vitest";
import { makeAccounts } from "../../examples/saas/accounts.ts";
import { administration } from "../../src/features/administration.ts";
import { memory } from "../../src/stores/memory.ts";
import { type Fault, type FaultyCall, faulty } from "../../src/testing/faulty.ts";
import { testAuth } from "../../src/testing/testing.ts";

/** A database that is empty, and starts on it. @param fail - what goes wrong with a call of a start; null for nothing */
function starts(fail: (call: FaultyCall) => Fault | null = () => null) {
  const admin = administration();
  const { auth } = testAuth({ stores: faulty(memory(), fail), features: [admin] });
  const parts = { auth, administration: auth.use(admin) };
  return { auth, operator: parts.administration.operator, start: () => makeAccounts(parts) };
}

async function assertComplete({ auth, operator }: ReturnType<typeof starts>): Promise<void> {
  const [boss, grace] = [await operator.user("admin"), await operator.user("grace")];
  const [pro, ...others] = await operator.tiers.list();
  expect([boss.isSuperuser, pro?.name, others, (await operator.users()).users.length]).toEqual([
    true,
    "pro",
    [],
    2,
  ]);
  expect(grace.tier).toBe("pro");
  expect(await auth.users.verifyPassword(grace.id, "seven green kettles")).toBe(true);
  expect(await auth.users.verifyPassword(boss.id, "your_admin_password")).toBe(true);
}

test.each(["refuse", "lose_answer"] as const)(
  "the next start goes on where one ended, whichever call of it failed (%s)",
  async (fault) => {
    let failed = 0;
    for (let isDone = false; !isDone; ) {
      let calls = 0;
      const failing = failed;
      const here = starts(() => (calls++ === failing ? fault : null));
      isDone = await here.start().then(
        () => calls <= failing,
        () => false,
      );
      // What no call of the start came to must not go wrong later.
      calls = failing + 1;
      await here.start();
      await assertComplete(here);
      failed++;
    }
    expect(failed).toBeGreaterThan(10);
  },
);

test("what somebody changed since is left as it is", async () => {
  const here = starts();
  await here.start();
  const { operator } = here;
  await operator.changeRights("grace", { tier: null });
  await operator.tiers.delete("pro");
  await operator.change("admin", { username: "ada" });
  await here.start();
  expect([(await operator.user("grace")).tier, await operator.tiers.list()]).toEqual([null, []]);
  await operator.change("ada", { username: "admin", email: "ada@example.com" });
  await here.start();
  expect((await operator.users()).users).toHaveLength(2);
});
