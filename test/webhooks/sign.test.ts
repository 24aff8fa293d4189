import { describe, expect, test } from "vitest";
import { webhookHeaders, webhookKey } from "../../src/webhooks/sign.ts";

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

describe("the signature of a webhook", () => {
  test("is that of the published example", () => {
    // Example of the reference libraries of Standard Webhooks (libraries/*/test, "sign function works").
    const message = {
      id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
      sentAt: new Date(1_614_265_330_000),
      body: '{"test": 2432232314}',
    };
    expect(webhookHeaders(message, [webhookKey(secret)])).toEqual({
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    });
  });

  test("is made under every secret, so that one can be changed without a gap", () => {
    const other = webhookKey(`whsec_${Buffer.alloc(32, 1).toString("base64")}`);
    const message = { id: "a", sentAt: new Date(0), body: "{}" };
    const headers = webhookHeaders(message, [other, webhookKey(secret)]);
    const [one] = Object.values(webhookHeaders(message, [other])).slice(2);
    const [two] = Object.values(webhookHeaders(message, [webhookKey(secret)])).slice(2);
    expect(headers["webhook-signature"]).toBe(`${one} ${two}`);
  });

  test.each([
    "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "whsec_",
    `whsec_${Buffer.alloc(23).toString("base64")}`,
    `whsec_${Buffer.alloc(65).toString("base64")}`,
    `whsk_${Buffer.alloc(32).toString("base64")}`,
    `whsec_${"a b".repeat(16)}`,
  ])("is not made under %s", (text) => {
    expect(() => webhookKey(text)).toThrow(TypeError);
  });
});
