import { createAuth, sqlite } from "latchkey";
import { node } from "latchkey/node";
import { statelessOptions } from "../stateless-options.ts";
import { listen } from "./listen.ts";

const auth = createAuth({ ...statelessOptions, stores: sqlite({ path: process.argv[2] ?? "" }) });
const { protect } = node(auth);

listen(
  protect((_request, response) => {
    response.setHeader("Content-Length", 2);
    response.end("ok");
  }),
);
