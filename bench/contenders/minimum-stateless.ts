import { createDecipheriv, createSecretKey } from "node:crypto";
import { listen } from "./listen.ts";

// The least that opening an encrypted session does by hand: one decryption, the expiry. Nobody's account is looked at.
const key = createSecretKey(process.argv[2] ?? "", "base64url");

listen((request, response) => {
  const [header = "", , nonce = "", sealed = "", tag = ""] = (request.headers.cookie ?? "")
    .slice(9)
    .split(".");
  const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64url"))
    .setAAD(Buffer.from(header))
    .setAuthTag(Buffer.from(tag, "base64url"));
  const session = JSON.parse(decipher.update(Buffer.from(sealed, "base64url")).toString());
  decipher.final();
  response.statusCode = session[9] > Date.now() ? 200 : 401;
  response.setHeader("Cache-Control", "no-store");
  response.setHeader("Content-Length", 2);
  response.end("ok");
});
