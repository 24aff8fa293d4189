import { createAuth, sqlite } from "latchkey";
import { node } from "latchkey/node";
import { tokenBench, tokensFeature } from "../token-bench.ts";
import { listen } from "./listen.ts";

const [path = "", keyFile = ""] = process.argv.slice(2);
const auth = createAuth({ ...tokenBench, stores: sqlite({ path }), features: [tokensFeature(keyFile)] });
const { protect } = node(auth);

listen(
  protect((_request, response) => {
    response.setHeader("Content-Length", 2);
    response.end("ok");
  }),
);
