import { Hono } from "hono";
import { type PageOptions, pages } from "../../server/pages/pages.ts";
import { type Answer, type Browser, browserOn, type Send } from "../support/browser.ts";
import { password, type World } from "../support/world.ts";

/** A page as a visitor got it. */
export interface Page extends Answer {
  readonly location: string | null;
  /** Every hidden field of the form with this field `form`, or of the only form. */
  hidden(form?: string): Record<string, string>;
  /** The message beside a field, or null. */
  messageOf(field: string): string | null;
  /** What a field is filled with, or null where the page has no such field. */
  valueOf(field: string): string | null;
  /** The markup of what the page is about, without the frame around it. */
  readonly main: string;
  /** The text of the summary of errors, or null. */
  readonly summary: string | null;
}

/** Somebody with a browser that runs no script: everything happens by links and forms. */
export interface Visitor {
  readonly browser: Browser;
  open(path: string, options?: Send): Promise<Page>;
  /** Posts a form as it was typed, without opening the page first. */
  post(path: string, form: Readonly<Record<string, string>>, options?: Send): Promise<Page>;
  /** Opens the page and posts its form, with its hidden fields. `form` chooses among several. */
  submit(path: string, typed: Readonly<Record<string, string>>, form?: string): Promise<Page>;
}

/** Opens a browser on the pages of a world. @param headers - what the browser sends along every time, such as `Accept-Language` */
export function visitor(
  world: World,
  options: Partial<PageOptions> = {},
  headers: Readonly<Record<string, string>> = {},
): Visitor {
  const app = new Hono<{ Bindings: { ip: string | null } }>();
  const client: PageOptions["client"] = ({ env }) => ({ ip: (env as { ip: string | null }).ip });
  const now = (): Date => world.clock.now();
  app.route("/", pages(world.auth, { client, now, ...options }));
  const browser = browserOn(
    async (request, { ip }) => (await world.auth.handle(request, { ip })) ?? app.fetch(request, { ip }),
    world.origin,
  );
  return { browser, ...actions(browser, headers) };
}

/** A visitor who has registered as `ana` and is signed in. */
export async function registered(
  world: World,
  typed: Readonly<Record<string, string>> = {},
  options: Partial<PageOptions> = {},
): Promise<Visitor> {
  const ana = visitor(world, options);
  const fields = {
    email: "ana@example.com",
    username: "ana",
    name: "Ana",
    password,
    confirm_password: password,
  };
  const { status, text } = await ana.submit("/register", { ...fields, ...typed });
  if (status !== 303) throw new Error(`registering answered ${status}: ${text}`);
  return ana;
}

/** Somebody else's browser, in which `ana` signs in. */
export async function signedIn(world: World, username = "ana", secret: string = password): Promise<Visitor> {
  const other = visitor(world);
  const { status, text } = await other.submit("/login", { username, password: secret });
  if (status !== 303) throw new Error(`signing in answered ${status}: ${text}`);
  return other;
}

function actions(browser: Browser, usual: Readonly<Record<string, string>>): Omit<Visitor, "browser"> {
  const navigating = { "Sec-Fetch-Mode": "navigate", Accept: "text/html,application/xhtml+xml" };
  const send = async (method: string, path: string, { headers, ...rest }: Send = {}): Promise<Page> =>
    pageOf(
      await browser.send(method, path, {
        csrf: false,
        headers: { ...navigating, ...usual, ...headers },
        ...rest,
      }),
    );
  const open = (path: string, options?: Send): Promise<Page> => send("GET", path, options);
  const post = (path: string, form: Readonly<Record<string, string>>, options?: Send): Promise<Page> =>
    send("POST", path, { form, ...options });
  return {
    open,
    post,
    async submit(path, typed, form) {
      const page = await open(path);
      const hidden = page.hidden(form);
      return post(path.replace(/\?.*/, ""), { ...hidden, ...typed });
    },
  };
}

function pageOf(answer: Answer): Page {
  const { text, headers } = answer;
  return {
    ...answer,
    location: headers.get("location"),
    main: /<main\b.*?<\/main>/s.exec(text)?.[0] ?? "",
    summary: plain(/<div class="notice bad"[^>]*>(.*?)<\/div>/s.exec(text)?.[1]),
    hidden(form) {
      const forms = [...text.matchAll(/<form\b.*?<\/form>/gs)].map(([markup]) => hiddenFields(markup));
      const chosen = form === undefined ? forms[0] : forms.find((fields) => fields.form === form);
      if (chosen === undefined) throw new Error(`the page has no form ${form ?? ""}: ${text}`);
      return chosen;
    },
    messageOf: (field) =>
      plain(new RegExp(`id="${field}-error"><span[^>]*>Error: </span>(.*?)</p>`, "s").exec(text)?.[1]),
    valueOf: (field) =>
      plain(new RegExp(`<input id="${field}"[^>]*?\\svalue="([^"]*)"`, "s").exec(text)?.[1]),
  };
}

function hiddenFields(markup: string): Record<string, string> {
  const inputs = markup.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g);
  return Object.fromEntries([...inputs].map(([, name = "", value = ""]) => [name, plain(value) ?? ""]));
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };

function plain(markup: string | undefined): string | null {
  if (markup === undefined) return null;
  return markup
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => entities[name] ?? "")
    .trim();
}
