/** JSON that this store wrote. @throws Error that quotes nothing of it: the parser's own would, digests and addresses too */
export function parsed<T>(text: string, what: string): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new Error(`${what} cannot be read`);
  }
}
