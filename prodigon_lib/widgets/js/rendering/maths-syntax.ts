// `$…$`, `$$…$$`, `\(…\)` and `\[…\]` in Markdown, as <code class="maths"> with the TeX as its text.

import type { MarkdownIt as Parser } from "../assets/markdown";

type MarkdownIt = InstanceType<typeof Parser>;

/** A dollar opens before what is no space, and closes after what is no space and before no digit: prices stay. */
const INLINE = [
  { open: "$$", close: "$$", display: true },
  { open: "$", close: "$", display: false },
  { open: "\\(", close: "\\)", display: false },
  { open: "\\[", close: "\\]", display: true },
];

const BLOCK = [
  { open: "$$", close: "$$" },
  { open: "\\[", close: "\\]" },
];

export function addMaths(md: MarkdownIt): void {
  md.inline.ruler.before("escape", "maths", inlineRule as never);
  md.block.ruler.before("fence", "maths_block", blockRule as never, { alt: ["paragraph", "blockquote", "list"] });
  const escape = md.utils.escapeHtml;
  md.renderer.rules.maths = (tokens, at) => {
    const { content, meta } = tokens[at]!;
    return `<code class="maths${meta!.display ? " display" : ""}">${escape(content)}</code>`;
  };
  md.renderer.rules.maths_block = (tokens, at) => {
    const { content, meta } = tokens[at]!;
    return `<p><code class="maths display${meta!.open ? " open" : ""}">${escape(content)}</code></p>`;
  };
}

function inlineRule(state: any, silent: boolean): boolean {
  const { src, pos } = state;
  const kind = INLINE.find(({ open }) => src.startsWith(open, pos));
  if (!kind) return false;
  const from = pos + kind.open.length;
  const to = closing(src, from, kind.close);
  const content = to < 0 ? "" : src.slice(from, to);
  if (!content.trim() || (kind.open === "$" && isPrice(src, content, to))) return false;
  if (!silent) {
    const token = state.push("maths", "code", 0);
    token.content = content.trim();
    token.meta = { display: kind.display };
  }
  state.pos = to + kind.close.length;
  return true;
}

function closing(src: string, from: number, close: string): number {
  let to = src.indexOf(close, from);
  while (to > 0 && close.startsWith("$") && src[to - 1] === "\\") to = src.indexOf(close, to + 1);
  return to;
}

function isPrice(src: string, content: string, to: number): boolean {
  return /^\s|\s$/.test(content) || /\d/.test(src[to + 1] ?? "");
}

function blockRule(state: any, startLine: number, endLine: number, silent: boolean): boolean {
  const line = (at: number): string => state.src.slice(state.bMarks[at] + state.tShift[at], state.eMarks[at]);
  const first = line(startLine);
  const kind = BLOCK.find(({ open }) => first.startsWith(open));
  if (!kind || state.sCount[startLine] - state.blkIndent >= 4) return false;
  const rest = first.slice(kind.open.length);
  if (rest.includes(kind.close) && !rest.trimEnd().endsWith(kind.close)) return false; // maths inside a line
  if (silent) return true;
  const lines = [rest];
  let next = startLine + 1;
  let closed = rest.trimEnd().endsWith(kind.close);
  while (!closed && next < endLine) {
    const text = line(next++);
    lines.push(text);
    closed = text.trimEnd().endsWith(kind.close);
  }
  const token = state.push("maths_block", "code", 0);
  const content = lines.join("\n").trimEnd();
  token.block = true;
  token.content = (closed ? content.slice(0, -kind.close.length) : content).trim();
  token.meta = { open: !closed };
  token.map = [startLine, next];
  state.line = next;
  return true;
}
