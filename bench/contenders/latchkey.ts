import { apiKeys, createAuth, passwords, sqlite } from "latchkey";
import { node } from "latchkey/node";
import { listen } from "./listen.ts";

const auth = createAuth({
  origin: "http://localhost:3000",
  secrets: ["a secret of the benchmark, 32 bytes and more"],
  stores: sqlite({ path: process.argv[2] ?? "" }),
  features: [passwords(), apiKeys()],
});
const { handle, protect } = node(auth);
const checked = protect((_request, response) => {
  response.setHeader("Content-Length", 2);
  response.end("ok");
});

listen(async (request, response) => {
  // Own routes are asked last, as an application does that knows its paths.
  if (request.url === "/checked") return checked(request, response);
  if (!(await handle(request, response))) response.writeHead(404).end();
});
