import {
  type Client,
  createClient,
  type Result,
  type StoredTokens,
  type TokenStorage,
} from "latchkey/client";
import { sessionHooks } from "latchkey/client/react";
import * as React from "react";
import { createRoot } from "react-dom/client";

declare global {
  interface Window {
    client: Client;
    /** How often the component was drawn. */
    drawn: number;
    ask(method: "GET" | "POST", path: string): Promise<Result<unknown>>;
  }
}

const usesTokens = location.search === "?tokens";

const storage: TokenStorage = {
  get: () => JSON.parse(localStorage.getItem("tokens") ?? "null") as StoredTokens | null,
  set: (tokens) => localStorage.setItem("tokens", JSON.stringify(tokens)),
};

const client = usesTokens ? createClient({ proof: "tokens", tokens: storage }) : createClient();
const { useSession, useUser } = sessionHooks(client, React);

function Greeting(): React.ReactNode {
  const { status } = useSession();
  const user = useUser();
  window.drawn = (window.drawn ?? 0) + 1;
  return React.createElement("p", { role: "status" }, user === null ? status : `Hello, ${user.name}`);
}

window.client = client;
window.ask = (method, path) =>
  method === "GET" ? client.get(path) : client.post(path, { item: "one of the application's own" });
const place = document.createElement("div");
document.body.append(place);
createRoot(place).render(React.createElement(Greeting));
await client.load();
