/** What an error says, for a person; a list of errors, as connecting to two addresses gives, says each. */
export function reason(error: unknown): string {
  const errors = error instanceof AggregateError ? error.errors : [error];
  const texts = errors.map((each) => {
    if (!(each instanceof Error)) return String(each);
    const { code } = each as { readonly code?: unknown };
    return each.message !== "" ? each.message : typeof code === "string" ? code : each.name;
  });
  return [...new Set(texts)].join("; ");
}
