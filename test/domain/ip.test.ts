import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ipForLimits, plainIp, plainNetwork, subnetForLimits, withinNetworks } from "../../src/domain/ip.ts";
import { anyText } from "../support/arbitrary.ts";

const spellings = [
  "1.2.3.4",
  "::ffff:1.2.3.4",
  "::FFFF:1.2.3.4",
  "::ffff:102:304",
  "::ffff:0102:0304",
  "0:0:0:0:0:ffff:1.2.3.4",
  "0:0:0:0:0:ffff:102:304",
  "0000:0000:0000:0000:0000:FFFF:0102:0304",
  "0::ffff:102:304",
  "::ffff:1.2.3.4%eth0",
];

describe("an address", () => {
  test.each(spellings)("of IPv4 has one spelling: %s", (spelling) => {
    expect(plainIp(spelling)).toBe("1.2.3.4");
    expect(ipForLimits(spelling)).toBe("1.2.3.4");
  });

  test.each([
    ["2001:DB8::0:1", "2001:db8::1"],
    ["2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"],
    ["2001:db8::1%eth0", "2001:db8::1"],
    ["::", "::"],
    ["::ffff:0:102:304", "::ffff:0:102:304"],
    ["::1.2.3.4", "::1.2.3.4"],
  ])("of IPv6 has one spelling: %s is %s, and not IPv4", (spelling, plain) => {
    expect(plainIp(spelling)).toBe(plain);
  });

  test.each([
    "0177.0.0.1",
    "0x7f.1",
    "1.2.3",
    "127.1",
    "01.2.3.4",
    "1.2.3.4:80",
    "[::1]",
    "",
    "%",
    "::ffff:0177.0.0.1",
    "::ffff:1.2.3.256",
  ])("is not %j", (text) => {
    expect(plainIp(text)).toBeNull();
  });

  test("is read without an error, whatever the text", () => {
    fc.assert(fc.property(anyText(), (text) => void [plainIp(text), ipForLimits(text)]));
  });

  test("in its one spelling stays as it is", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (ip) => {
        const plain = plainIp(ip);
        expect(plain).not.toBeNull();
        expect(plainIp(plain ?? "")).toBe(plain);
      }),
    );
  });
});

describe("a /64", () => {
  test.each([
    ["1:2:3:4:5:6:7:8", "1:2:3:4::/64"],
    ["1:2:3::8", "1:2:3:0::/64"],
    ["1::5:6:7:8", "1:0:0:0::/64"],
    ["1::2:3:4:5:6:7", "1:0:2:3::/64"],
    ["::2:3:4:5:6:7:8", "0:2:3:4::/64"],
    ["::", "0:0:0:0::/64"],
    ["FE80::1", "fe80:0:0:0::/64"],
    ["::1.2.3.4", "0:0:0:0::/64"],
  ])("of %s is %s", (ip, expected) => {
    expect(ipForLimits(ip)).toBe(expected);
  });
});

describe("a neighbourhood", () => {
  test.each([
    ["1:2:3:4:5:6:7:8", "1:2:3::/48"],
    ["1::8", "1:0:0::/48"],
    ["192.0.2.7", "192.0.2.0/24"],
    ["::ffff:192.0.2.7", "192.0.2.0/24"],
    ["nothing", "unknown"],
    [null, "unknown"],
  ])("of %s is %s", (ip, expected) => {
    expect(subnetForLimits(ip)).toBe(expected);
  });

  test("of a client is that of its address", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (ip) => {
        expect(subnetForLimits(ipForLimits(ip))).toBe(subnetForLimits(ip));
      }),
    );
  });
});

describe("a network", () => {
  test.each([
    ["192.0.2.0/24", "192.0.2.0/24"],
    ["192.0.2.7", "192.0.2.7"],
    ["2001:DB8:0::/32", "2001:db8::/32"],
    ["::ffff:10.0.0.0/104", "10.0.0.0/8"],
    ["::ffff:a00:1", "10.0.0.1"],
    ["0.0.0.0/0", "0.0.0.0/0"],
  ])("has one spelling: %s is %s", (text, plain) => {
    expect(plainNetwork(text)).toBe(plain);
  });

  test.each([
    "",
    "/",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "10/8",
    "::/129",
    "::ffff:0:0/95",
    "example.com",
  ])("%j is none", (text) => {
    expect(plainNetwork(text)).toBeNull();
    expect(() => withinNetworks([text])).toThrow(TypeError);
  });

  test("holds its addresses and no others", () => {
    const isWithin = withinNetworks(["10.1.2.3/8", "192.0.2.7", "2001:db8::/32", "::ffff:198.51.100.0/120"]);
    for (const ip of ["10.0.0.0", "10.255.255.255", "192.0.2.7", "2001:db8:ffff::1", "198.51.100.255"])
      expect([ip, isWithin(ip)]).toEqual([ip, true]);
    for (const ip of [
      "9.255.255.255",
      "11.0.0.0",
      "192.0.2.8",
      "2001:db9::",
      "198.51.101.0",
      "::",
      "::a01:203",
    ])
      expect([ip, isWithin(ip)]).toEqual([ip, false]);
    expect(withinNetworks([])("10.0.0.1")).toBe(false);
  });
});
