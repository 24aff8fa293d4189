import { createHmac, createPublicKey, timingSafeEqual, verify } from "node:crypto";
import { listen } from "./listen.ts";

// The least that a correct verification does by hand: signature and expiry. No session, no account, no revocation.
const [algorithm = "", key = ""] = process.argv.slice(2);
const secret = Buffer.from(key, "base64url");
const publicKey = algorithm === "EdDSA" ? createPublicKey({ key: JSON.parse(key), format: "jwk" }) : null;

listen((request, response) => {
  if (!check(request.headers.authorization ?? "")) {
    response.statusCode = 401;
    response.end();
    return;
  }
  response.setHeader("Cache-Control", "no-store");
  response.setHeader("Content-Length", 2);
  response.end("ok");
});

function check(header: string): boolean {
  const token = header.slice("Bearer ".length);
  const end = token.lastIndexOf(".");
  const signed = token.slice(0, end);
  const signature = Buffer.from(token.slice(end + 1), "base64url");
  const isSigned =
    publicKey === null
      ? timingSafeEqual(createHmac("sha256", secret).update(signed).digest(), signature)
      : verify(null, Buffer.from(signed), publicKey, signature);
  if (!isSigned) return false;
  const claims = JSON.parse(Buffer.from(signed.slice(signed.indexOf(".") + 1), "base64url").toString());
  return typeof claims.exp === "number" && claims.exp > Date.now() / 1000;
}
