import { existsSync, statSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path/posix";
import { addressOf, type Book } from "./book.ts";

/** A link to a place on the site. */
export interface Link {
  /** The page that it stands on. */
  readonly from: string;
  /** A file of the repository. */
  readonly to: string;
  /** Without the `#`; empty for the page itself. */
  readonly anchor: string;
}

/** What {@link follow} makes of a link as it is written. */
export interface Followed {
  readonly href: string;
  /** Null for one that leaves the site, and one that leads to nothing. */
  readonly link: Link | null;
  /** Why it leads to nothing. */
  readonly fault?: string;
}

/** Follows a link of a page to where it leads on the site. */
export function follow(href: string, from: string, { root, book }: { root: string; book: Book }): Followed {
  if (/^(https?|mailto):/.test(href)) return { href, link: null };
  const [path = "", anchor = ""] = href.split("#");
  const to = path === "" ? from : normalize(join(dirname(from), path));
  const hash = anchor === "" ? "" : `#${anchor}`;
  const isFile = existsSync(join(root, to)) && statSync(join(root, to)).isFile();
  if (to !== from && (to.startsWith("..") || !isFile))
    return { href, link: null, fault: `${from}: ${href} leads to nothing` };
  if (to !== from && to.endsWith(".md") && !book.has(to))
    return { href, link: null, fault: `${from}: ${to} is not in the navigation` };
  return {
    href: path === "" ? hash : `${between(addressOf(from), addressOf(to))}${hash}`,
    link: { from, to, anchor: decodeURIComponent(anchor) },
  };
}

/** The files of the repository that a page links to and that are no pages: they are shown as they are. */
export function filesLinkedFrom(path: string, markdown: string): readonly string[] {
  const text = markdown.replace(/^(`{3,}).*?^\1/gms, "");
  return [...text.matchAll(/\]\(([^)#\s:]+)(?:#[^)\s]*)?\)/g)]
    .map(([, href = ""]) => normalize(join(dirname(path), href)))
    .filter((to) => !to.endsWith(".md"));
}

/** The way from one address of the site to another: the site works below any prefix, and from a folder. */
export function between(from: string, to: string): string {
  return relative(dirname(from), to);
}
