// A process that sends the mails of a database and dies at a step of its own choice:
// `node mail-process.ts <database> <file of sent mails> <number of the step to die at>`.

import { appendFileSync } from "node:fs";
import { createAuth } from "../../src/auth.ts";
import { mail } from "../../src/features/mail.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { sqlite } from "../../src/stores/sqlite/sqlite.ts";

const [, , database = "", sent = "", dieAt = "0"] = process.argv;
const secret = "a secret of at least thirty-two bytes for tests";
let calls = 0;

/** Before a call and after it are two steps, at each of which the process can die. */
function step(): void {
  if (++calls === Number(dieAt)) process.kill(process.pid, "SIGKILL");
}

function mortal<P extends Stores[keyof Stores]>(port: P): P {
  return new Proxy(port, {
    get(target, key) {
      const method: unknown = Reflect.get(target, key);
      if (typeof method !== "function" || key === "close") return method;
      return async (...args: unknown[]) => {
        step();
        const answer = await Reflect.apply(method, target, args);
        step();
        return answer;
      };
    },
  });
}

const stores = sqlite({ path: database });
const feature = mail({
  from: "no-reply@app.example",
  sends: false,
  mailer: {
    async send({ text, headers }) {
      step();
      appendFileSync(sent, `${JSON.stringify({ text, id: headers["Message-ID"] })}\n`);
      step();
    },
  },
});
const auth = createAuth({
  origin: "https://app.example",
  secrets: [secret],
  stores: {
    directory: mortal(stores.directory),
    sessions: mortal(stores.sessions),
    ephemeral: mortal(stores.ephemeral),
  },
  features: [feature],
  session: { sweepIntervalSeconds: 0 },
});
await auth.use(feature).flush();
await auth.close();
process.exit(0);
