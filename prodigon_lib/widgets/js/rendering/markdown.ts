// Markdown of an untrusted author to elements that can do nothing.
//
// Three walls: markdown-it makes no HTML of the author's own and no link but to http, https and mailto; no image is
// made, since fetching one would tell its server what was said; DOMPurify keeps the few tags and attributes that the
// first two give.

import type { DOMPurify as Purifier, hljs as Highlighter, MarkdownIt as Parser } from "../assets/markdown";
import type { Bridge } from "../kernel/bridge";
import { loadAsset } from "../kernel/assets";
import { lookUpNothing } from "./links";
import { addMaths } from "./maths-syntax";

interface Library {
  DOMPurify: typeof Purifier;
  hljs: typeof Highlighter;
  MarkdownIt: typeof Parser;
}

type Token = ReturnType<InstanceType<typeof Parser>["parse"]>[number];

const TAGS =
  "p h1 h2 h3 h4 h5 h6 ul ol li blockquote pre code em strong s a table thead tbody tr th td hr br span".split(" ");
const SAFE = {
  ALLOWED_TAGS: TAGS,
  ALLOWED_ATTR: ["href", "title", "class", "start", "align", "rel", "target"],
  ADD_URI_SAFE_ATTR: ["start", "align", "rel", "target"], // else these would have to look like a link, too
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true as const,
};

export interface Parsed {
  tokens: Token[];
  /** Lines of the source above which nothing can change any more, and how many of the tokens they gave. */
  settledLines: number;
  settledTokens: number;
  hasReferences: boolean;
}

export class Markdown {
  private readonly parser: InstanceType<typeof Parser>;

  constructor(private readonly library: Library) {
    this.parser = new library.MarkdownIt({ html: false, linkify: true, breaks: false });
    this.parser.validateLink = (url) => SAFE.ALLOWED_URI_REGEXP.test(url.trim());
    addMaths(this.parser);
    addRules(this.parser);
  }

  static async load(bridge: Bridge): Promise<Markdown> {
    lookUpNothing();
    return new Markdown(await loadAsset<Library>(bridge, "markdown.js"));
  }

  parse(source: string): Parsed {
    const env: Parameters<InstanceType<typeof Parser>["parse"]>[1] = {};
    const tokens = this.parser.parse(source, env);
    const starts = tokens.flatMap((token, at) => (token.level === 0 && token.nesting >= 0 && token.map ? [at] : []));
    // A line that is not whole may yet become another thing: "#" a heading, "#tag" part of the text above.
    const wholeLines = source.split("\n").length - 1;
    const last = starts.filter((at) => tokens[at]!.map![0] < wholeLines).at(-1) ?? 0;
    return {
      tokens,
      settledTokens: last,
      settledLines: last === 0 ? 0 : tokens[last]!.map![0],
      hasReferences: Object.keys(env?.references ?? {}).length > 0,
    };
  }

  elements(tokens: Token[]): DocumentFragment {
    return this.library.DOMPurify.sanitize(this.parser.renderer.render(tokens, this.parser.options, {}), SAFE);
  }

  /** Code in colour, or null where its language is not known. */
  highlighted(code: string, language: string): DocumentFragment | null {
    if (!this.library.hljs.getLanguage(language)) return null;
    const { value } = this.library.hljs.highlight(code, { language, ignoreIllegals: true });
    return this.library.DOMPurify.sanitize(value, SAFE);
  }
}

function addRules(md: InstanceType<typeof Parser>): void {
  const escape = md.utils.escapeHtml;
  md.renderer.rules.link_open = (tokens, at, options, _, self) => {
    tokens[at]!.attrSet("target", "_blank");
    tokens[at]!.attrSet("rel", "noopener noreferrer nofollow");
    return self.renderToken(tokens, at, options);
  };
  md.renderer.rules.image = (tokens, at) => {
    const token = tokens[at]!;
    const url = String(token.attrGet("src") ?? "");
    const words = token.content || "image";
    if (!md.validateLink(url)) return escape(words);
    return `<a href="${escape(url)}" target="_blank" rel="noopener noreferrer nofollow">${escape(words)}</a>`;
  };
  for (const cell of ["th_open", "td_open"]) {
    md.renderer.rules[cell] = (tokens, at, options, _, self) => {
      const token = tokens[at]!;
      const side = /text-align:(\w+)/.exec(String(token.attrGet("style") ?? ""))?.[1];
      token.attrs = side ? [["align", side]] : null;
      return self.renderToken(tokens, at, options);
    };
  }
}
