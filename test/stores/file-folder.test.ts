import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { fileSessions } from "../../src/stores/file/file.ts";

const root = mkdtempSync(join(tmpdir(), "latchkey-file-folder-"));
afterAll(() => rmSync(root, { recursive: true }));

let made = 0;
/** A folder that is there before the sessions are, with this mode. */
function folder(mode = 0o700): string {
  const path = join(root, String(++made));
  mkdirSync(path);
  chmodSync(path, mode);
  return path;
}

async function openAndClose(path: string): Promise<void> {
  await fileSessions({ path }).close();
}

const modeOf = (path: string): number => statSync(path).mode & 0o777;
const hasModes = process.platform !== "win32";
const isRoot = process.getuid?.() === 0;
const nobody = 65_534;

describe("the folder of the sessions", () => {
  it.runIf(hasModes)("is closed to others at each start, whatever it was before", async () => {
    const path = folder(0o777);
    for (const mode of [0o777, 0o755]) {
      chmodSync(path, mode);
      await openAndClose(path);
      expect([modeOf(path), modeOf(join(path, "slots"))]).toEqual([0o700, 0o700]);
    }
  });

  it("may be reached by a link: where it is, is for the operator to say", async () => {
    const path = folder();
    const link = join(root, "link");
    symlinkSync(path, link, "junction");
    await openAndClose(link);
    expect(existsSync(join(path, "slots"))).toBe(true);
  });

  it.runIf(isRoot)("is refused where it is another user's, and so is what is in it", async () => {
    const path = folder();
    chownSync(path, nobody, nobody);
    expect(() => fileSessions({ path })).toThrow(/belongs to user 65534/);
    expect(existsSync(join(path, "lock"))).toBe(false);
    chownSync(path, 0, 0);
    mkdirSync(join(path, "slots"));
    chownSync(join(path, "slots"), nobody, nobody);
    expect(() => fileSessions({ path })).toThrow(/slots belongs to user 65534/);
  });

  it.runIf(hasModes)("is refused where others could put sessions into it, until it was emptied", async () => {
    const path = folder();
    const slots = join(path, "slots");
    mkdirSync(slots);
    for (const mode of [0o770, 0o707]) {
      chmodSync(slots, mode);
      expect(() => fileSessions({ path })).toThrow(/was open to other users/);
    }
    rmSync(slots, { recursive: true });
    await openAndClose(path);
  });

  it("leads nowhere else: neither what is in it nor its lock is a link", async () => {
    for (const name of ["slots", "lock"]) {
      const [path, elsewhere] = [folder(), folder()];
      symlinkSync(elsewhere, join(path, name), "junction");
      expect(() => fileSessions({ path })).toThrow(`${join(path, name)} is a link`);
      rmSync(join(path, name));
      await openAndClose(path);
    }
  });

  it("is free again where it was refused", async () => {
    const path = folder();
    const inTheWay = join(path, "lock.pid");
    mkdirSync(inTheWay);
    expect(() => fileSessions({ path })).toThrow();
    rmSync(inTheWay, { recursive: true });
    await openAndClose(path);
  });

  it.runIf(hasModes)(
    "has the holder's number written beside what a link leads to, and not into it",
    async () => {
      const path = folder();
      const victim = join(root, "victim");
      writeFileSync(victim, "precious");
      symlinkSync(victim, join(path, "lock.pid"));
      await openAndClose(path);
      expect(readFileSync(victim, "utf8")).toBe("precious");
      expect(lstatSync(join(path, "lock.pid")).isFile()).toBe(true);
      expect(readFileSync(join(path, "lock.pid"), "utf8")).toBe(String(process.pid));
    },
  );
});
