// In this order: browsers name others that they are like. Only words from here are ever said, since whoever sends the header
// would else write a sentence of theirs into a mail of ours.
const programs: readonly (readonly [name: string, sign: RegExp])[] = [
  ["Edge", /\bEdg(?:e|A|iOS)?\//],
  ["Opera", /\bOPR\/|\bOpera\b/],
  ["Samsung Internet", /\bSamsungBrowser\//],
  ["Firefox", /\bFirefox\/|\bFxiOS\//],
  ["Chrome", /\bChrome\/|\bCriOS\//],
  ["Safari", /\bSafari\//],
];
const systems: readonly (readonly [name: string, sign: RegExp])[] = [
  ["Android", /\bAndroid\b/],
  ["iOS", /\biPhone\b|\biPad\b/],
  ["Windows", /\bWindows\b/],
  ["macOS", /\bMac OS X\b|\bMacintosh\b/],
  ["ChromeOS", /\bCrOS\b/],
  ["Linux", /\bLinux\b/],
];

/** What a User-Agent header says of browser and system, in names that are known; null where it says neither. */
export function deviceWords(userAgent: string | null): string | null {
  const named = (table: typeof programs): string | undefined =>
    table.find(([, sign]) => sign.test(userAgent ?? ""))?.[0];
  const words = [named(programs), named(systems)].filter((word) => word !== undefined);
  return words.length === 0 ? null : words.join(", ");
}
