// Preloaded into a user's program: prints the address of every module that is loaded after it, one per line.
import { registerHooks } from "node:module";

registerHooks({
  load(url, context, nextLoad) {
    console.log(url);
    return nextLoad(url, context);
  },
});
