import { languages } from "./pages/language/language.ts";
import type { PageOptions } from "./pages/pages.ts";
import { usualTheme } from "./pages/theme/theme.ts";
import type { Settings } from "./settings/settings.ts";

/** Languages and looks of the pages as the settings describe them. @throws ThemeError where PAGES_PATH cannot be used */
export async function pagesFromSettings({
  pagesPath,
  defaultLocale: fallback,
}: Pick<Settings, "pagesPath" | "defaultLocale">): Promise<Pick<PageOptions, "languages" | "theme">> {
  // Most servers have no such folder, and load nothing for it.
  const theme =
    pagesPath === null
      ? usualTheme
      : await (await import("./pages/theme/read-theme.ts")).readTheme(pagesPath);
  return { theme, languages: languages({ fallback, changed: theme.changed }) };
}
