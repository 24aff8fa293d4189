import { runServer } from "./run.ts";

process.exitCode = await runServer();
