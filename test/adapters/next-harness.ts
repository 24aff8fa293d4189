import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { type NextParts, next } from "../../src/adapters/next.ts";
import { createAuth } from "../../src/auth.ts";
import { passwords } from "../../src/features/passwords.ts";
import { anyone } from "../../src/guards/guards.ts";
import { argon2id } from "../../src/password/argon2id.ts";
import { memory } from "../../src/stores/memory.ts";
import type { AdapterHarness, AdapterParts } from "../../src/testing/testing.ts";

type Route = (request: Request, context: unknown) => Promise<Response>;
type Routes = Readonly<Record<string, Route>>;

const cookie = { path: "/", httpOnly: false, secure: false, sameSite: "lax" } as const;

/** The contract's application on Next's production server; its routes are files of `next-app`, which ask for these by name. */
export function nextHarness(listener: () => RequestListener): AdapterHarness {
  return {
    async start(parts) {
      const auth = authOf(parts);
      let routes: Routes | null = null;
      share("latchkey.next-app", (given: NextParts) => {
        routes ??= routesOf(auth, given, parts);
        return routes;
      });
      const { port, close } = await listening(listener());
      return {
        auth,
        port,
        async close() {
          await close();
          await auth.close();
        },
      };
    },
  };
}

/** Puts something where the application's code finds it, which Next has bundled apart. */
export function share(name: string, value: unknown): void {
  (globalThis as unknown as Record<symbol, unknown>)[Symbol.for(name)] = value;
}

/** A server on a random port of this machine. */
export async function listening(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function authOf({ options }: AdapterParts) {
  const hashers = [argon2id({ memoryKiB: 8, passes: 1 })] as const;
  return createAuth({ ...options, stores: memory(), features: [passwords({ hashers })] });
}

const forEverybody = { "cache-control": "public, max-age=60" };

function routesOf(auth: ReturnType<typeof authOf>, given: NextParts, parts: AdapterParts): Routes {
  const { handlers, protect } = next(auth, given, parts);
  return {
    async handle(request) {
      if (parts.parsesFirst) await request.json();
      return handlers[request.method as keyof typeof handlers](request);
    },
    hello: protect(
      (_request, _context, { displayName }) =>
        new Response(`Hello, ${displayName}`, { headers: { "set-cookie": "shop=open", ...forEverybody } }),
    ),
    maybe: protect(
      (_request, _context, { displayName }) =>
        new Response(`Hello, ${displayName}`, { headers: forEverybody }),
      anyone(),
    ),
    staff: protect(() => new Response("staff"), parts.staff),
    note: protect(async (request) => Response.json({ text: (await request.json()).text })),
    visit: protect(async (_request, _context, _principal, session) => {
      await session.set("seen", true);
      // By Next's own means, beside the header of the route above.
      (await given.cookies()).set("shop", "open", cookie);
      return new Response("ok", { headers: forEverybody });
    }, anyone()),
    stream: protect(() => new Response(inTwoParts())),
    fails: protect(() => {
      throw new Error("a secret of the application");
    }),
    board: protect(() => new Response("board"), parts.policy),
    letters: protect(() => new Response("letters"), anyone()),
    drafts: protect(() => new Response("drafts")),
  };
}

function inTwoParts(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async start(controller) {
      controller.enqueue(Buffer.from("one"));
      await new Promise((resolve) => setTimeout(resolve, 300));
      try {
        controller.enqueue(Buffer.from("two"));
        controller.close();
      } catch {
        // Whoever read it has gone away.
      }
    },
  });
}
