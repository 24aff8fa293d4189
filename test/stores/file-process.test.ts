import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import type { DetachedSessions } from "../../src/ports/detached-sessions.ts";
import { systemClock, systemRandom } from "../../src/services/system.ts";
import { fileSessions } from "../../src/stores/file/file.ts";
import { fixtures } from "../../src/testing/testing.ts";
import { type OtherProcess, type Role, type Step, startProcess, workCap, workUsers } from "./slot-process.ts";

const root = mkdtempSync(join(tmpdir(), "latchkey-file-process-"));
afterAll(() => rmSync(root, { recursive: true }));
const make = fixtures(systemClock(), systemRandom());
const call = () => ({ now: new Date(), signal: AbortSignal.timeout(10_000) });

async function start(
  role: Role,
  path: string,
  users: Parameters<typeof startProcess>[2],
): Promise<OtherProcess> {
  const other = startProcess(role, { path }, users);
  onTestFinished(() => {
    other.child.kill("SIGKILL");
  });
  await once(other.lines, "line");
  return other;
}

/** Sessions of a user, oldest first, with what their data should say. */
type Model = readonly (readonly [id: string, dataVersion: number])[];

function after(model: Model, { kind, id }: Step): Model {
  if (kind === "insert") return [...model, [id, 0] as const].slice(-workCap);
  if (kind === "take") return model.filter(([other]) => other !== id);
  return model.map((entry) => (entry[0] === id ? ([id, 1] as const) : entry));
}

async function stateOf(sessions: DetachedSessions, user: ReturnType<typeof make.user>): Promise<Model> {
  const all = await sessions.list({ userId: user.id, slotTag: user.slotTag }, call());
  const inOrder = all.toSorted((a, b) => a.lastUsedAt.getTime() - b.lastUsedAt.getTime());
  return inOrder.map(({ id, dataVersion }) => [id, dataVersion] as const);
}

describe("a process that is killed", () => {
  it("has lost nothing that it acknowledged, and left no change half-made", { timeout: 60_000 }, async () => {
    let acknowledged = 0;
    for (let round = 0; round < 8; round++) {
      const path = join(root, `killed-${round}`);
      const users = Array.from({ length: workUsers }, () => make.user());
      const { child, lines, ended } = await start("work", path, users);
      const steps: Step[] = [];
      const enough = 20 + round * 17;
      const isEnough = new Promise<void>((resolve) => {
        lines.on("line", (line) => {
          steps.push(JSON.parse(line));
          if (steps.length === enough) resolve();
        });
      });
      child.stdin?.write("go\n");
      await isEnough;
      // A step is printed before it is begun, and everything that was printed is read.
      const isRead = once(lines, "close");
      child.kill("SIGKILL");
      await Promise.all([ended, isRead]);
      // Its lock went with it.
      const sessions = fileSessions({ path });
      for (const [index, user] of users.entries()) {
        const own = steps.filter((step) => step.user === index);
        const done = own.filter(({ isDone }) => isDone);
        const model = done.reduce(after, [] as Model);
        const last = own.at(-1);
        const possible = last === undefined || last.isDone ? [model] : [model, after(model, last)];
        expect(possible).toContainEqual(await stateOf(sessions, user));
        acknowledged += done.length;
      }
      await sessions.close();
    }
    expect(acknowledged).toBeGreaterThan(100);
  });
});

describe("a second process", () => {
  it("is refused as long as the first one lives, and by name", async () => {
    const path = join(root, "held");
    const { child, ended } = await start("hold", path, []);
    expect(() => fileSessions({ path })).toThrow(`in use by process ${child.pid}`);
    // Still refused: whoever was refused has taken nothing away.
    expect(() => fileSessions({ path })).toThrow(`in use by process ${child.pid}`);
    child.kill("SIGKILL");
    await ended;
    const sessions = fileSessions({ path });
    await sessions.ping(call());
    expect(() => fileSessions({ path })).toThrow(`in use by process ${process.pid}`);
    const third = startProcess("hold", { path }, []);
    expect(await third.ended).not.toBe(0);
    await sessions.close();
    await fileSessions({ path }).close();
  });
});
