import { type Telling, tell } from "./telling.ts";

await tell(JSON.parse(process.argv[2] ?? "") as Telling);
