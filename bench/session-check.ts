import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Child, startChild } from "./child.ts";
import { contender, contest } from "./contest.ts";
import type { Effort } from "./effort.ts";
import { seed, seededToken } from "./seed.ts";
import type { Row } from "./table.ts";

/** Sessions that are in use; the rest of a large table lies there. */
const active = 1_000;

/** Session checks per second as a share of a server that checks nothing, in one run, contenders alternating. */
export async function sessionCheck(effort: Effort): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-bench-"));
  const small = join(folder, "small.db");
  const large = join(folder, "large.db");
  // A file of its own for who notes the use of 100,000 sessions: for others those are foreign writes, which have rows of their own.
  const busy = join(folder, "busy.db");
  await seed(small, active);
  await seed(large, effort.manySessions);
  await copyFile(large, busy);
  try {
    const rows: Row[] = [];
    for (const writesPerSecond of [0, 10, 100])
      rows.push(...(await compare(effort, { small, large, busy, writesPerSecond })));
    return rows;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function compare(
  effort: Effort,
  files: { small: string; large: string; busy: string; writesPerSecond: number },
): Promise<readonly Row[]> {
  const { small, large, busy, writesPerSecond } = files;
  const writers =
    writesPerSecond === 0
      ? []
      : await Promise.all([small, large, busy].map((path) => writer(path, writesPerSecond)));
  const many = effort.manySessions;
  const [all, few] = [spread(active, active), spread(many, active)];
  const some = spread(many, Math.min(many, 100_000));
  const contenders = await Promise.all([
    contender("bare node:http", ["bare.ts"], all),
    contender("minimum, 1,000 sessions", ["minimum.ts", small], all),
    contender("Latchkey, 1,000 sessions", ["latchkey.ts", small], all),
    contender(`minimum, ${many} sessions, 1,000 in use`, ["minimum.ts", large], few),
    contender(`Latchkey, ${many} sessions, 1,000 in use`, ["latchkey.ts", large], few),
    contender(`minimum, ${many} sessions, 100,000 in use`, ["minimum.ts", large], some),
    contender(`Latchkey, ${many} sessions, 100,000 in use`, ["latchkey.ts", busy], some),
  ]);
  const rows = await contest(effort, contenders, { "foreign writes/s": writesPerSecond });
  await Promise.all(writers.map((each) => each.stop()));
  return rows;
}

function writer(path: string, perSecond: number): Promise<Child> {
  return startChild("contenders/foreign-writer.ts", [path, String(perSecond)]);
}

// `count` sessions evenly out of `sessions`, so that neighbours in use lie on different pages.
function spread(sessions: number, count: number): readonly string[] {
  const step = Math.floor(sessions / count);
  return Array.from({ length: count }, (_, index) => checkRequest(seededToken(index * step)));
}

/** A request that carries a session, as a browser sends it. */
export function checkRequest(token: string): string {
  return `GET /checked HTTP/1.1\r\nHost: localhost\r\nCookie: latchkey=${token}\r\n\r\n`;
}
