/**
 * Why somebody could guess a secret that is long enough, or null where nothing is known against it. It finds what
 * people copy and what a hand types; it cannot measure randomness. The reason continues "NAME ...".
 */
export function secretWeakness(secret: string): string | null {
  const plain = letters(secret);
  if (published.some((example) => letters(example) === plain))
    return "is an example from a manual, known to everybody";
  if (placeholders.some((phrase) => plain.includes(phrase))) return "still reads like a placeholder";
  if (isRepeating(secret)) return "repeats a short piece";
  if (isSequence(secret)) return "is a sequence of neighbouring characters";
  // 32 random hexadecimal digits have fewer than 8 different ones less than once in ten million times.
  if (new Set(secret).size < 8) return "has fewer than 8 different characters";
  return null;
}

// As the manuals of the frameworks print them; some are too short to be accepted anywhere and stand here for completeness.
const published: readonly string[] = [
  "your-secret-key",
  "your-secret-key-at-least-32-characters",
  "your-secret-key-minimum-32-characters-long",
  "your-super-secret-jwt-key",
  "my-super-secret-key-at-least-32-chars",
  "my-secret-123",
  "<openssl rand -hex 32>",
  "<generated-secret>",
  "correct horse battery staple correct horse battery staple",
  "qwertyuiopasdfghjklzxcvbnm123456",
  "qwertyuiopasdfghjklzxcvbnm1234567890",
  "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
];

// In lower case and without separators. Random text contains one of these less than once in a billion times.
const placeholders: readonly string[] = [
  "changeme",
  "changethis",
  "changeinproduction",
  "yoursecret",
  "yoursupersecret",
  "mysecret",
  "mysupersecret",
  "supersecret",
  "secretkey",
  "replaceme",
  "replacethis",
  "insecure",
  "placeholder",
  "keyboardcat",
];

function letters(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9]/g, "");
}

// A piece that is itself as long as a secret has to be is no weaker for being written twice.
function isRepeating(text: string): boolean {
  const longest = Math.min(31, Math.floor(text.length / 2));
  for (let period = 1; period <= longest; period++) {
    if (text.slice(period) === text.slice(0, -period)) return true;
  }
  return false;
}

// Three steps in four to the neighbouring character, as in "abcdef" or "987654"; random text has about one in five.
function isSequence(text: string): boolean {
  const codes = Buffer.from(text);
  const steps = codes.subarray(1).filter((code, index) => Math.abs(code - (codes[index] ?? code)) <= 1);
  return steps.length >= (codes.length - 1) * 0.75;
}
