/**
 * The form under which names, addresses and passwords are compared: NFKC, and folded so that case makes no difference.
 *
 * Lower-casing alone leaves "ß", "ẞ" and "SS" apart; upper then lower is the folding that the platform offers without a table.
 */
export function foldText(text: string): string {
  return text.normalize("NFKC").toUpperCase().toLowerCase().normalize("NFKC");
}
