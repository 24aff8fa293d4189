import { listen } from "./listen.ts";

// What the machine can do: no check at all.
listen((_request, response) => {
  response.setHeader("Content-Length", 2);
  response.end("ok");
});
