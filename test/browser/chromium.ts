import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from "playwright-core";
import type { Site } from "./site.ts";

// Nothing but the site under test is to be talked to, and a root user has no sandbox.
const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts a Chromium. */
export function openChromium(executablePath: string | null): Promise<Browser> {
  if (executablePath === null) throw new Error("there is no Chromium; this test should have been skipped");
  return chromium.launch({ executablePath, args: flags });
}

/** A person with a browser of their own. */
export interface Person {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the browser complained about: violations of the Content-Security-Policy, errors, failed downloads. */
  readonly complaints: string[];
}

/** Opens a browser window with cookies of its own on a site. */
export async function person(
  browser: Browser,
  site: Pick<Site, "origin">,
  options: BrowserContextOptions = {},
): Promise<Person> {
  const context = await browser.newContext({ baseURL: site.origin, ...options });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    // A page that comes with the status of a refusal is one, and Chromium says so in the same words as for a lost file.
    const isRefusal = message
      .text()
      .startsWith("Failed to load resource: the server responded with a status of");
    if ((message.type() === "error" || message.type() === "warning") && !isRefusal)
      complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("requestfailed", (request) => {
    // A page that is left before all of it has arrived.
    const isGivenUp = request.failure()?.errorText === "net::ERR_ABORTED";
    if (!isGivenUp) complaints.push(`${request.url()} did not load`);
  });
  page.on("response", (response) => {
    const isDocument = response.request().resourceType() === "document";
    if (!isDocument && response.status() >= 400) complaints.push(`${response.url()}: ${response.status()}`);
  });
  return { context, page, complaints };
}

/** Fills a form by its labels and presses a button. */
export async function submit(
  page: Page,
  typed: Readonly<Record<string, string>>,
  button: string,
): Promise<void> {
  for (const [label, text] of Object.entries(typed)) await page.getByLabel(label, { exact: true }).fill(text);
  await Promise.all([
    page.waitForEvent("domcontentloaded"),
    page.getByRole("button", { name: button, exact: true }).click(),
  ]);
}
