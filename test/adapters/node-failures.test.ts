import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { node } from "../../src/adapters/node.ts";
import { AuthError } from "../../src/errors.ts";
import type { Feature } from "../../src/features/feature.ts";
import { anyone } from "../../src/guards/guards.ts";
import type { SessionData } from "../../src/ports/session-data.ts";
import { gate } from "../support/gate.ts";
import { until } from "../support/until.ts";
import { world } from "../support/world.ts";

/** A real server that notes what `http.Server` would have let end the process. */
async function serve(listener: (request: IncomingMessage, response: ServerResponse) => Promise<unknown>) {
  const rejected: unknown[] = [];
  let settled = 0;
  const server = createServer((request, response) => {
    listener(request, response)
      .catch((reason) => rejected.push(reason))
      .finally(() => settled++);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return {
    rejected,
    settled: () => settled,
    ask: (path: string, init: RequestInit = {}) =>
      fetch(`http://127.0.0.1:${port}${path}`, { redirect: "manual", ...init }),
    /** Sends raw bytes; the connection is the caller's to end. */
    dial(bytes: string) {
      const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
      socket.on("error", () => undefined);
      onTestFinished(() => void socket.destroy());
      return socket;
    },
  };
}

describe("a handler that fails after its headers were sent", () => {
  test("ends the connection, rejects nothing, and is told to the operator", async () => {
    const { auth, log } = world();
    const { protect } = node(auth);
    const late = protect((_, response) => {
      response.write("half");
      throw new Error("the database went away");
    }, anyone());
    const { ask, rejected } = await serve(late);
    await expect(ask("/").then((answer) => answer.text())).rejects.toThrow();
    expect(rejected).toEqual([]);
    expect(log).toMatchObject([{ level: "error", cause: new Error("the database went away") }]);
  });

  test("is told to the operator also where it is a refusal: nobody else can hear of it", async () => {
    const { auth, log } = world();
    const { protect } = node(auth);
    const late = protect((_, response) => {
      response.write("half");
      throw new AuthError("conflict");
    }, anyone());
    const { ask, rejected } = await serve(late);
    await expect(ask("/").then((answer) => answer.text())).rejects.toThrow();
    expect(rejected).toEqual([]);
    expect(log).toMatchObject([{ fields: { code: "internal_error" }, cause: { code: "conflict" } }]);
  });

  test("leaves an answer alone that is whole", async () => {
    const { auth, log } = world();
    const { protect } = node(auth);
    const { ask, rejected } = await serve(
      protect((_, response) => {
        response.end("x".repeat(20_000_000));
        throw new Error("afterwards");
      }, anyone()),
    );
    expect(await (await ask("/")).text()).toHaveLength(20_000_000);
    expect([rejected, log.length]).toEqual([[], 1]);
  });
});

describe("an onError that fails", () => {
  test("leaves the answer to Latchkey in protect and in handle", async () => {
    const { auth, log } = world({
      onError: () => {
        throw new Error("boom");
      },
    });
    const { handle, protect } = node(auth);
    const closed = protect((_, response) => void response.end("in"));
    const { ask, rejected } = await serve(async (request, response) => {
      if (!(await handle(request, response))) await closed(request, response);
    });
    for (const path of ["/mine", "/api/v1/users/me"]) {
      const answer = await ask(path);
      expect([answer.status, (await answer.json()).code]).toEqual([401, "not_authenticated"]);
    }
    expect(rejected).toEqual([]);
    expect(log.map(({ message, cause }) => [message, String(cause)])).toEqual([
      ["onError failed", "Error: boom"],
      ["onError failed", "Error: boom"],
    ]);
  });

  test("with a body that breaks half-way is a failure that is still answered", async () => {
    const broken = () =>
      new Response(new ReadableStream({ pull: (controller) => controller.error(new Error("torn")) }), {
        headers: { "X-Own": "1" },
      });
    let isFirst = true;
    const { auth, log } = world({
      onError: () => {
        const own = isFirst ? broken() : null;
        isFirst = false;
        return own;
      },
    });
    const { protect } = node(auth);
    const { ask, rejected } = await serve(protect((_, response) => void response.end("in")));
    const answer = await ask("/");
    expect([answer.status, answer.headers.get("x-own"), rejected]).toEqual([500, null, []]);
    expect(log).toMatchObject([{ cause: new Error("torn") }]);
  });

  test("again and again ends the connection in the end", async () => {
    const torn = () =>
      new Response(new ReadableStream({ pull: (controller) => controller.error(new Error("torn")) }));
    const { auth } = world({ onError: torn });
    const { protect } = node(auth);
    const { ask, rejected } = await serve(protect((_, response) => void response.end("in")));
    await expect(ask("/")).rejects.toThrow();
    expect(rejected).toEqual([]);
  });
});

describe("a redirect of onError", () => {
  test("is answered by handle, with the request id that its headers have no room for", async () => {
    const { auth } = world({ onError: () => Response.redirect("https://app.example/login", 302) });
    const { handle } = node(auth);
    const { ask, rejected } = await serve(handle);
    const answer = await ask("/api/v1/users/me");
    expect([answer.status, answer.headers.get("location")]).toEqual([302, "https://app.example/login"]);
    expect(answer.headers.get("x-request-id")).toMatch(/^[\w-]{36}$/);
    expect(rejected).toEqual([]);
  });
});

describe("handle", () => {
  test("answers 500 where the routes cannot be loaded", async () => {
    const broken: Feature<null> = {
      name: "broken",
      install: () => ({ api: null, routes: () => Promise.reject(new Error("EMFILE")) }),
    };
    const { auth, log } = world({ features: [broken] });
    const { handle } = node(auth);
    let isAnswered: boolean | null = null;
    const { ask, rejected } = await serve(async (request, response) => {
      isAnswered = await handle(request, response);
    });
    expect((await ask("/healthz")).status).toBe(500);
    expect([isAnswered, rejected]).toEqual([true, []]);
    expect(log).toMatchObject([{ cause: new Error("EMFILE") }]);
  });

  test("does not mind a client that goes away before its answer", async () => {
    const here = world();
    const held = gate();
    here.recorder.before = ({ name }) => (name === "ephemeral.reserve" ? held.pass() : null);
    const { handle } = node(here.auth);
    const { dial, rejected, settled } = await serve(handle);
    const body = '{"email":"nobody@example.com","password":"wrong horse battery"}';
    const socket = dial(
      `POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await held.reached;
    socket.destroy();
    await new Promise((resolve) => socket.once("close", resolve));
    held.open();
    await until(() => settled() === 1);
    expect(rejected).toEqual([]);
  });

  test("does not mind a client that goes away in the middle of its body", async () => {
    const here = world();
    const held = gate();
    here.recorder.before = ({ name }) => (name === "ephemeral.reserve" ? held.pass() : null);
    const { handle } = node(here.auth);
    const { dial, rejected, settled } = await serve(handle);
    const socket = dial(
      'POST /api/v1/auth/register HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"email":',
    );
    await held.reached;
    held.open();
    socket.destroy();
    await until(() => settled() === 1);
    expect(rejected).toEqual([]);
  });
});

describe("session data after the headers were sent", () => {
  async function afterHeaders(work: (session: SessionData, response: ServerResponse) => unknown) {
    const here = world();
    const { protect } = node(here.auth);
    const { ask, rejected } = await serve(
      protect(async (_request, response, _principal, session) => {
        response.write("part one");
        await work(session, response);
        response.end();
      }, anyone()),
    );
    const text = await (await ask("/", { method: "POST" })).text();
    return { here, text, rejected };
  }

  test("cannot begin a session: set says so to the handler, and no row is left behind", async () => {
    let said: unknown;
    const { here, text, rejected } = await afterHeaders(async (session) => {
      said = await session.set("cart", [1]).catch((error: unknown) => error);
    });
    expect(String(said)).toMatch(/^TypeError: session.set: the headers were sent/);
    expect([text, rejected]).toEqual(["part one", []]);
    expect(here.heard("session.started")).toEqual([]);
  });

  test("does not end the process where the handler does not wait for set", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    onTestFinished(() => void process.off("unhandledRejection", note));
    const { here, text, rejected } = await afterHeaders((session) => void session.set("cart", [1]));
    await until(() => here.log.length === 1);
    // Unhandled rejections are told once the turn of the event loop has ended.
    await new Promise((resolve) => setImmediate(resolve));
    expect([text, rejected, unhandled]).toEqual(["part one", [], []]);
    expect(here.log).toMatchObject([{ level: "error", cause: { name: "TypeError" } }]);
  });

  test("cannot seal a session that was begun before them and finished after", async () => {
    let said: unknown;
    const here = world();
    const held = gate();
    here.recorder.before = ({ name }) => (name === "directory.commit" ? held.pass() : null);
    const { protect } = node(here.auth);
    const { ask, rejected } = await serve(
      protect(async (_request, response, _principal, session) => {
        const set = session.set("cart", [1]);
        await held.reached;
        response.write("part one");
        held.open();
        said = await set.catch((error: unknown) => error);
        response.end();
      }, anyone()),
    );
    expect(await (await ask("/", { method: "POST" })).text()).toBe("part one");
    expect(String(said)).toMatch(/^TypeError: session.set: the headers were sent/);
    expect(rejected).toEqual([]);
  });
});
