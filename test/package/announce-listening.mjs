// Preloaded into a user's program: prints the port of every server that starts to listen.
import { subscribe } from "node:diagnostics_channel";

subscribe("tracing:net.server.listen:asyncEnd", ({ server }) =>
  console.log(`listening on port ${server.address().port}`),
);
