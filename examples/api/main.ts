import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Example, Place, Started } from "../example.ts";
import { app } from "./app.ts";
import { openHouse } from "./auth.ts";
import { openDatabase } from "./members.ts";
import { migrateDown, migrateUp } from "./migrate.ts";

export async function start({ port, folder }: Place): Promise<Started> {
  const server = createServer().listen(port, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  const house = await openHouse(origin, folder);
  server.on("request", app(house));
  return {
    origin,
    toTry: [
      `curl -X POST ${origin}/api/register -H "Content-Type: application/json" -d '{"name": "Alice", "email": "alice@example.com", "password": "securePass123"}'`,
      `curl -X POST ${origin}/api/login -H "Content-Type: application/json" -d '{"email": "alice@example.com", "password": "securePass123"}'`,
      `curl ${origin}/api/profile`,
      `${origin}/login in a browser`,
    ],
    async close() {
      const closed = once(server, "close");
      server.close();
      await closed;
      await house.close();
    },
  };
}

export const commands: Example["commands"] = {
  async migrate({ folder }, [direction = "up"]) {
    const db = openDatabase(folder);
    try {
      const names = direction === "down" ? migrateDown(db) : migrateUp(db);
      return names.length === 0 ? "Nothing to do." : `${direction}: ${names.join(", ")}`;
    } finally {
      db.close();
    }
  },

  /** Who is an administrator is said by whoever runs the server, and by nobody else. */
  async promote({ folder }, [email = ""]) {
    const house = await openHouse("http://localhost", folder);
    try {
      await house.operator.changeRights(email, { roles: ["admin"] });
      return `${email} is an administrator. Sign in again.`;
    } finally {
      await house.close();
    }
  },
};
