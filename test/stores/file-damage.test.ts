import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import type { Session } from "../../src/domain/session.ts";
import type { DetachedSessions } from "../../src/ports/detached-sessions.ts";
import { fileSessions } from "../../src/stores/file/file.ts";
import { fixtures, testClock } from "../../src/testing/testing.ts";

const root = mkdtempSync(join(tmpdir(), "latchkey-file-damage-"));
afterAll(() => rmSync(root, { recursive: true }));
let opened = 0;

function scene() {
  const path = join(root, `${++opened}`);
  const clock = testClock();
  const sessions = fileSessions({ path });
  onTestFinished(() => sessions.close());
  const call = () => ({ now: clock.now(), signal: new AbortController().signal });
  return { path, clock, sessions, make: fixtures(clock), call };
}

/** Files below a folder, by their whole path. */
function files(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function fileOf(path: string, { id }: Session): string {
  const name = Buffer.from(id.slice(0, 8), "latin1").toString("hex");
  const found = files(path).find((file) => file.endsWith(name));
  if (found === undefined) throw new Error("the session has no file");
  return found;
}

async function idOf(
  sessions: DetachedSessions,
  { id }: Session,
  call: Parameters<DetachedSessions["find"]>[1],
) {
  return (await sessions.find([id], call))[0]?.session.id ?? null;
}

const damages: Readonly<Record<string, (file: string) => void>> = {
  "cut short": (file) => truncateSync(file, statSync(file).size - 10),
  emptied: (file) => truncateSync(file),
  "changed by a letter": (file) =>
    writeFileSync(file, readFileSync(file, "utf8").replace("192.0.2.7", "192.0.2.8")),
  "somebody else's": (file) => writeFileSync(file, "{}\n"),
};

describe("a file of sessions", () => {
  for (const [how, damage] of Object.entries(damages)) {
    it(`that was ${how} is an error that names it, for its user alone, and stops no sweep`, async () => {
      const { path, clock, sessions, make, call } = scene();
      const idleExpiresAt = new Date(clock.now().getTime() + 1_000);
      const [hurt, whole] = [
        make.session(make.user(), { idleExpiresAt }),
        make.session(null, { idleExpiresAt }),
      ];
      for (const session of [hurt, whole]) await sessions.insert(session, 0, call());
      const file = fileOf(path, hurt);
      damage(file);
      await expect(sessions.find([hurt.id], call())).rejects.toThrow(file);
      await expect(sessions.take([hurt.id], call())).rejects.toThrow(file);
      expect(await idOf(sessions, whole, call())).toBe(whole.id);
      clock.advance(1);
      for (let times = 0; times < 2; times++)
        expect((await sessions.expired(9, call())).map(({ id }) => id)).toEqual([whole.id]);
    });
  }

  it("is readable by its owner alone, and so is every folder", async () => {
    const { path, sessions, make, call } = scene();
    await sessions.insert(make.session(null), 0, call());
    const all = files(path);
    expect(all.length).toBeGreaterThan(1);
    for (const file of all) {
      if (process.platform === "win32") return;
      expect(statSync(file).mode & 0o077).toBe(0);
      expect(statSync(dirname(file)).mode & 0o077).toBe(0);
    }
  });

  it("is named so that a file system which ignores case tells ids apart", async () => {
    const { path, sessions, make, call } = scene();
    for (const slotTag of ["aaaaaaaa", "aaaaaaaA", "AAAAAAAA"])
      await sessions.insert(make.session(make.user({ slotTag })), 0, call());
    const names = files(join(path, "slots")).map((file) => file.toLowerCase());
    expect(new Set(names).size).toBe(3);
  });

  it("is gone with the last of its sessions", async () => {
    const { path, sessions, make, call } = scene();
    const session = make.session(null);
    await sessions.insert(session, 0, call());
    expect(files(join(path, "slots"))).toHaveLength(1);
    await sessions.take([session.id], call());
    expect(files(join(path, "slots"))).toHaveLength(0);
  });
});

describe("the folder of all files", () => {
  it("that is missing is an error, and signs nobody out", async () => {
    const { path, sessions, make, call } = scene();
    const session = make.session(null);
    await sessions.insert(session, 0, call());
    renameSync(join(path, "slots"), join(path, "elsewhere"));
    await expect(sessions.find([session.id], call())).rejects.toThrow("ENOENT");
    await expect(sessions.insert(make.session(null), 0, call())).rejects.toThrow("ENOENT");
    await expect(sessions.ping(call())).rejects.toThrow("ENOENT");
    renameSync(join(path, "elsewhere"), join(path, "slots"));
    expect(await idOf(sessions, session, call())).toBe(session.id);
  });

  it("may hold files of others, and drafts that nobody finished are swept", async () => {
    const { path, sessions, make, call, clock } = scene();
    const session = make.session(null, { idleExpiresAt: new Date(clock.now().getTime() + 1_000) });
    await sessions.insert(session, 0, call());
    const file = fileOf(path, session);
    writeFileSync(`${file}.new`, "half of a sess");
    writeFileSync(join(dirname(file), "README"), "theirs");
    mkdirSync(join(path, "slots", "lost+found"));
    clock.advance(1);
    expect((await sessions.expired(9, call())).map(({ id }) => id)).toEqual([session.id]);
    expect(existsSync(`${file}.new`)).toBe(false);
    expect(existsSync(join(dirname(file), "README"))).toBe(true);
    await sessions.take([session.id], call());
  });

  it("that was copied without the files' times is swept all the same", async () => {
    const { path, sessions, make, call, clock } = scene();
    const session = make.session(null, { idleExpiresAt: new Date(clock.now().getTime() + 1_000) });
    await sessions.insert(session, 0, call());
    utimesSync(fileOf(path, session), clock.now(), clock.now());
    expect(await sessions.expired(9, call())).toEqual([]);
    clock.advance(1);
    expect(await sessions.expired(9, call())).toHaveLength(1);
  });
});

describe("sessions that end far beyond what a file system can write", () => {
  it("are kept, and swept when their idle limit is over", async () => {
    const { sessions, make, call, clock } = scene();
    const far = new Date(8.64e15);
    const endless = make.session(null, { idleExpiresAt: far, expiresAt: far });
    const idle = make.session(null, {
      idleExpiresAt: new Date(clock.now().getTime() + 1_000),
      expiresAt: far,
    });
    for (const session of [endless, idle]) await sessions.insert(session, 0, call());
    expect(await sessions.expired(9, call())).toEqual([]);
    clock.advance(1);
    expect((await sessions.expired(9, call())).map(({ id }) => id)).toEqual([idle.id]);
    expect(await idOf(sessions, endless, call())).toBe(endless.id);
  });
});

describe("a sweep", () => {
  it("finds what is written while others go on, whenever it ends", async () => {
    const { sessions, make, call, clock } = scene();
    const user = make.user();
    const added: Session[] = [];
    const writing = (async () => {
      for (let seconds = 40; seconds > 0; seconds--) {
        const session = make.session(user, {
          idleExpiresAt: new Date(clock.now().getTime() + seconds * 1000),
        });
        added.push(session);
        await sessions.insert(session, 0, call());
      }
    })();
    for (let sweeps = 0; sweeps < 20; sweeps++) expect(await sessions.expired(9, call())).toEqual([]);
    await writing;
    clock.advance(1);
    expect((await sessions.expired(99, call())).map(({ id }) => id)).toEqual([added.at(-1)?.id]);
    clock.advance(40);
    expect(await sessions.expired(99, call())).toHaveLength(40);
  });
});

describe("sessions that were closed", () => {
  it("answer nothing any more, after what was under way is done", async () => {
    const { sessions, make, call } = scene();
    const session = make.session(null);
    const adding = sessions.insert(session, 0, call());
    await sessions.close();
    expect(await adding).toEqual([]);
    await expect(sessions.find([session.id], call())).rejects.toThrow("closed");
    await expect(sessions.insert(make.session(null), 0, call())).rejects.toThrow("closed");
  });

  it("cannot be opened without a path", () => {
    for (const path of ["", undefined, 1])
      expect(() => fileSessions({ path: path as string })).toThrow(TypeError);
  });
});
