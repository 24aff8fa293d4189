import { expect, test } from "vitest";
import { folderCommands } from "./support/folder-commands.ts";

const former = "Vx3kQp9sLm2Zt7Rb8Yc4Wd5Nf6Gh1JaE";

test("secret prints one that a server takes, without touching anything", async () => {
  const { run } = await folderCommands();
  const [one, other] = [await run("secret"), await run("secret")];
  expect(one).toMatchObject({ code: 0, err: "" });
  expect(one.out).toMatch(/^[A-Za-z0-9_-]{43}\n$/);
  expect(other.out).not.toBe(one.out);
});

test("secret reencrypt says what it did, and when a former secret may go", async () => {
  const { run } = await folderCommands({ SECRET_KEY_PREVIOUS: former });
  const { code, out } = await run("secret", "reencrypt");
  expect(code).toBe(0);
  expect(out).toMatch(
    /^Sealed anew: 0\nStill under a former secret: 0\nA former secret may be dropped once /,
  );
  expect(JSON.parse((await run("secret", "reencrypt", "--json")).out)).toEqual({
    ...{ resealed: 0, remaining: 0, unreadable: 0, sessions: 0, sessions_end_at: null },
  });
});

test("without a former secret nothing is said of dropping one", async () => {
  const { run } = await folderCommands();
  expect((await run("secret", "reencrypt")).out).toBe("Sealed anew: 0\nStill under a former secret: 0\n");
});
