import fc from "fast-check";

// `unit: "binary"` of fast-check costs a second to set up, in each file that uses it.
const unit = fc.oneof(
  fc.constantFrom(..."\0\t\r\n \"'`\\/;:,.=&?%#@{}[]()<>$-_~*+|"),
  fc.constantFrom(
    "\u0085",
    "\u00a0",
    "\u00ad",
    "\u0130",
    "\u0131",
    "\u00df",
    "\u03c2",
    "\u200b",
    "\u2028",
    "\u202e",
    "\ufb01",
    "\uff21",
    "\ufeff",
  ),
  fc.constantFrom(
    "\ud800",
    "\udfff",
    "\u{1f600}",
    "\u{10ffff}",
    "e\u0301",
    "%00",
    "%2f",
    "__proto__",
    "..",
    "//",
  ),
  fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
);

/** Text of anything: control characters, invisible ones, halves of surrogate pairs, what parsers stumble over. */
export function anyText(maxLength = 40): fc.Arbitrary<string> {
  return fc.string({ unit, maxLength });
}
