import { createAuth, passwords, split, sqlite } from "latchkey";
import { cached, redisChannel } from "latchkey/cached";
import { node } from "latchkey/node";
import { redis } from "latchkey/redis";
import { createClient } from "redis";
import { listen } from "./listen.ts";

// Accounts in SQLite, so that what is measured is a check on Redis and not a directory far away.
const [path = "", url = "", isCached = ""] = process.argv.slice(2);
const client = await createClient({ url }).connect();
const stores = split({ ...sqlite({ path }), ...redis({ client }) });
const auth = createAuth({
  origin: "http://localhost:3000",
  secrets: ["a secret of the benchmark, 32 bytes and more"],
  stores: isCached === "" ? stores : cached(stores, { channel: redisChannel({ client }) }),
  features: [passwords()],
});
const { protect } = node(auth);
const checked = protect((_request, response) => {
  response.setHeader("Content-Length", 2);
  response.end("ok");
});

listen((request, response) => checked(request, response));
