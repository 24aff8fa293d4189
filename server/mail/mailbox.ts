/** A name and the address that goes with it. */
export interface Mailbox {
  /** Empty where there is none. */
  readonly name: string;
  readonly address: string;
}

/**
 * What `Name <address>`, or an address alone, says. Whatever stands in the name is the name: a colon makes no group of it, a bracket
 * no comment. Quotation marks around the whole of it do not belong to it.
 *
 * @see RFC 5322, section 3.4
 */
export function mailbox(text: string): Mailbox {
  const [, written = "", address = text] = /^([^<>]*)<([^<>]+)>$/.exec(text) ?? [];
  const name = written.trim();
  const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(name)?.[1];
  return { name: quoted === undefined ? name : quoted.replace(/\\(.)/g, "$1"), address };
}
