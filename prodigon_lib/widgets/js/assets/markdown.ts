// Markdown to safe HTML: markdown-it, highlight.js and DOMPurify, as one module that a page loads once.

import DOMPurify from "dompurify";
import hljs from "highlight.js/lib/common";
import MarkdownIt from "markdown-it";

export { DOMPurify, hljs, MarkdownIt };
