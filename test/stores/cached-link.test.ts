import { describe, expect, it, onTestFinished } from "vitest";
import { type Dial, type Link, linkedChannel } from "../../src/stores/cached/linked-channel.ts";
import { outage } from "../../src/stores/cached/outage.ts";
import type { Changes, ChannelLog } from "../../src/stores/cached.ts";
import { gate } from "../support/gate.ts";
import { until } from "../support/until.ts";

/** A server that repeats what it is told to everybody who listens, until a test has it fall silent. */
function server() {
  const listeners = new Set<(text: string) => void>();
  const sent: string[] = [];
  let isSilent = false;
  let refuses = false;
  let forbids = false;
  let dialled = 0;
  let ended = 0;
  const dial: Dial = (hear): Link => {
    dialled++;
    if (refuses) throw new Error("refused");
    listeners.add(hear);
    return {
      ready: Promise.resolve(),
      async send(text) {
        if (forbids) throw new Error("forbidden");
        sent.push(text);
        if (!isSilent) for (const listener of listeners) listener(text);
      },
      end() {
        ended++;
        listeners.delete(hear);
      },
    };
  };
  return {
    dial,
    sent,
    say: (text: string) => listeners.forEach((listener) => void listener(text)),
    set isSilent(silent: boolean) {
      isSilent = silent;
    },
    set refuses(refusing: boolean) {
      refuses = refusing;
    },
    set forbids(forbidding: boolean) {
      forbids = forbidding;
    },
    get dialled() {
      return dialled;
    },
    get ended() {
      return ended;
    },
  };
}

function listen(dial: Dial, log?: ChannelLog) {
  const channel = linkedChannel(dial, log);
  const told: Changes[] = [];
  channel.open((changes) => told.push(changes));
  onTestFinished(() => channel.close());
  return { channel, told };
}

const message = (number: number, ...rest: readonly unknown[]): string =>
  JSON.stringify(["x", number, ...rest]);

describe("a channel over one connection", () => {
  it("says that everything may have changed when it is connected, and nothing of its own words", async () => {
    const { dial, sent } = server();
    const { channel, told } = listen(dial);
    channel.tell({ sessions: ["a"], users: [] });
    await until(() => sent.length > 1);
    expect(told).toEqual(["everything"]);
  });

  it("counts a connection as cut that stays silent, within a second and a half, and makes another", async () => {
    const at = server();
    const { told } = listen(at.dial);
    await until(() => at.sent.length > 0);
    at.isSilent = true;
    const since = performance.now();
    await until(() => at.dialled > 1);
    expect(performance.now() - since).toBeLessThan(1_500);
    expect(at.ended).toBe(1);
    at.isSilent = false;
    await until(() => told.length === 2);
    expect(told).toEqual(["everything", "everything"]);
  });

  it("leaves a connection alone that answers", async () => {
    const at = server();
    listen(at.dial);
    await until(() => at.sent.length > 5);
    expect([at.dialled, at.ended]).toEqual([1, 0]);
  });

  it("tries again where none comes about, also where the client cannot even be made", async () => {
    const at = server();
    at.refuses = true;
    const { told } = listen(at.dial);
    await until(() => at.dialled > 1);
    at.refuses = false;
    await until(() => told.length > 0);
  });

  it("hands on what follows without a gap, and takes everything for changed where one is missing", async () => {
    const at = server();
    const { told } = listen(at.dial);
    await until(() => told.length > 0);
    const a = { sessions: ["a"], users: [] };
    const cases: readonly (readonly [string, Changes | null])[] = [
      [message(1), null],
      [message(2, ["a"], []), a],
      [message(4, ["a"], []), "everything"],
      [message(5, "*"), "everything"],
      [message(6), null],
      // Twice, late, or from the one before.
      [message(6), "everything"],
      [message(3, ["a"], []), "everything"],
      [JSON.stringify(["y", 7]), "everything"],
      [JSON.stringify(["y", 8]), null],
    ];
    for (const [text, expected] of cases) {
      told.length = 0;
      at.say(text);
      expect(told, text).toEqual(expected === null ? [] : [expected]);
    }
  });

  it("takes everything for changed where it cannot read what was said", async () => {
    const at = server();
    const { told } = listen(at.dial);
    await until(() => told.length > 0);
    const texts = [
      "",
      "{",
      "null",
      "7",
      "[]",
      '["x"]',
      '["x","1"]',
      '["x",1,"y"]',
      '["x",1,[1],[]]',
      '["x",1,["a"]]',
    ];
    for (const text of texts) {
      told.length = 0;
      at.say(text);
      expect(told, text).toEqual(["everything"]);
    }
  });

  it("is for one cache, and says nothing once it is closed", async () => {
    const at = server();
    const { channel } = listen(at.dial);
    expect(() => channel.open(() => undefined)).toThrow(TypeError);
    await until(() => at.sent.length > 0);
    await channel.close();
    const said = at.sent.length;
    channel.tell("everything");
    // As long as another one takes for two beats.
    const living = server();
    listen(living.dial);
    await until(() => living.sent.length > 2);
    expect([at.sent.length, at.ended]).toEqual([said, 1]);
  });

  it("closes where a server hangs", async () => {
    const held = gate();
    const { channel } = listen(() => ({ ready: Promise.resolve(), send: held.pass, end() {} }));
    await held.reached;
    const since = performance.now();
    await channel.close();
    expect(performance.now() - since).toBeLessThan(1_500);
  });
});

type Told = readonly [message: string, fields: object | undefined];

/** Keeps what it is told, and throws as an application's log may. */
function throwingLog() {
  const told: Told[] = [];
  const warn: ChannelLog["warn"] = (message, fields) => {
    told.push([message, fields]);
    throw new Error("the disk is full");
  };
  return { told, log: { warn } };
}

describe("a channel that stays cut", () => {
  const cut = expect.stringContaining("is cut");
  const whole = expect.stringContaining("is whole");

  it("tries less and less often, tells so once, and once when it is whole", async () => {
    const at = server();
    at.refuses = true;
    const { log, told } = throwingLog();
    const since = performance.now();
    listen(at.dial, log);
    await expect.poll(() => told.length, { timeout: 5_000 }).toBe(1);
    expect([at.dialled, performance.now() - since > 1_700]).toEqual([4, true]);
    await expect.poll(() => at.dialled, { timeout: 5_000 }).toBe(5);
    at.refuses = false;
    await expect.poll(() => told.length, { timeout: 5_000 }).toBe(2);
    expect(told).toEqual([
      [cut, { reason: "refused" }],
      [whole, { failures: 5 }],
    ]);
  });

  it("is one that connects and may not speak, too", async () => {
    const at = server();
    at.forbids = true;
    const { log, told } = throwingLog();
    listen(at.dial, log);
    await expect.poll(() => told.length, { timeout: 15_000 }).toBe(1);
    at.forbids = false;
    await expect.poll(() => told.length, { timeout: 5_000 }).toBe(2);
    expect(told).toEqual([
      [cut, { reason: "forbidden" }],
      [whole, { failures: expect.any(Number) }],
    ]);
  });

  it("says nothing of what was over soon", () => {
    const { log, told } = throwingLog();
    const { failed, over } = outage(log);
    for (let times = 0; times < 10; times++) {
      for (let failures = 0; failures < 3; failures++) failed(new Error("restarted"));
      over();
    }
    expect(told).toEqual([]);
  });

  it("warns the process where it has no log, with what was wrong at every host", async () => {
    const warnings: Error[] = [];
    const keep = (warning: Error): void => void warnings.push(warning);
    process.on("warning", keep);
    onTestFinished(() => void process.off("warning", keep));
    const { failed } = outage();
    const reason = new AggregateError([new Error("refused at ::1"), new Error("refused at 127.0.0.1")]);
    for (let failures = 0; failures < 4; failures++) failed(reason);
    await until(() => warnings.length > 0);
    expect(warnings).toMatchObject([{ code: "LATCHKEY_CHANNEL" }]);
    expect(warnings[0]?.message).toContain("(refused at ::1, refused at 127.0.0.1)");
  });
});
