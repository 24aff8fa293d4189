// Eleventy brings no types; this is what the site uses of it.
declare module "@11ty/eleventy" {
  import type { MarkdownIt } from "./markdown.ts";

  export interface UserConfig {
    addTemplate(path: string, content: string, data: Readonly<Record<string, unknown>>): void;
    addPlugin(plugin: unknown, options?: Readonly<Record<string, unknown>>): void;
    addTransform(
      name: string,
      transform: (
        this: { readonly page: { readonly url: string } },
        content: string,
      ) => Promise<string> | string,
    ): void;
    amendLibrary(engine: "md", amend: (library: MarkdownIt) => void): void;
    setTemplateFormats(formats: readonly string[]): void;
    setUseGitIgnore(use: boolean): void;
  }

  export default class Eleventy {
    constructor(
      input: string,
      output: string,
      options: {
        readonly quietMode: boolean;
        readonly configPath: null;
        config(config: UserConfig): void;
      },
    );
    disableLogger(): void;
    write(): Promise<unknown>;
  }
}

declare module "@11ty/eleventy-plugin-syntaxhighlight" {
  const plugin: unknown;
  export default plugin;
}
