import { createAuth, passwords, split, sqlite } from "latchkey";
import { node } from "latchkey/node";
import { redis } from "latchkey/redis";
import { createClient } from "redis";
import { listen } from "./listen.ts";

// Accounts in SQLite, so that what is measured is a check on Redis and not a directory far away.
const [path = "", url = ""] = process.argv.slice(2);
const client = await createClient({ url }).connect();
const auth = createAuth({
  origin: "http://localhost:3000",
  secrets: ["a secret of the benchmark, 32 bytes and more"],
  stores: split({ ...sqlite({ path }), ...redis({ client }) }),
  features: [passwords()],
});
const { protect } = node(auth);
const checked = protect((_request, response) => {
  response.setHeader("Content-Length", 2);
  response.end("ok");
});

listen((request, response) => checked(request, response));
