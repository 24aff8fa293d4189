import { describe, expect, test } from "vitest";
import { clientIp } from "../../src/http/client-info.ts";

describe("the client's address", () => {
  const ip = clientIp(["10.0.0.0/8"]);

  test.each([
    ["1.2.3.4:5555", "1.2.3.4"],
    ["[2001:db8::7]:123", "2001:db8::7"],
    ["[::1]:123", "::1"],
    ["[2001:db8::7]", "2001:db8::7"],
    ["[::ffff:1.2.3.4]:80", "1.2.3.4"],
    ["2001:db8::7", "2001:db8::7"],
  ])("is read without the port that a proxy wrote beside it: %s", (hop, expected) => {
    expect(ip("10.0.0.1", hop)).toBe(expected);
    expect(ip("10.0.0.1", `6.6.6.6, ${hop}, 10.0.0.2:443`)).toBe(expected);
  });

  test.each([
    "1.2.3.4:",
    "1.2.3.4:x",
    "1.2.3.4:123456",
    "[::1",
    "::1]",
    "[::1]x",
    "[]",
    "[]:80",
    "0177.0.0.1:80",
  ])("is not read from %j, which no proxy writes", (hop) => {
    expect(ip("10.0.0.1", hop)).toBe("10.0.0.1");
  });

  test.each(["::ffff:a00:1", "0:0:0:0:0:ffff:10.0.0.1", "::FFFF:10.0.0.1"])(
    "behind a proxy that is trusted by its IPv4 address, and appears as %s, is the forwarded one",
    (peer) => {
      expect(ip(peer, "::ffff:102:304")).toBe("1.2.3.4");
    },
  );

  test("behind a proxy that is trusted by its mapped address is the forwarded one", () => {
    for (const cidr of ["::ffff:10.0.0.0/104", "::ffff:a00:0/104"]) {
      expect(clientIp([cidr])("10.1.1.1", "1.2.3.4")).toBe("1.2.3.4");
      expect(clientIp([cidr])("11.1.1.1", "1.2.3.4")).toBe("11.1.1.1");
    }
    expect(clientIp(["::ffff:10.0.0.1"])("10.0.0.1", "1.2.3.4")).toBe("1.2.3.4");
  });

  test.each(["10.0.0.0/", "10.0.0.0/8/8", "10.0.0.0/ 8", "10.0.0.0/1e1", "::ffff:10.0.0.0/95", "::/"])(
    "never comes from everybody by a slip of the pen: %j is refused",
    (cidr) => {
      expect(() => clientIp([cidr])).toThrow(/is no address and no CIDR/);
    },
  );
});
