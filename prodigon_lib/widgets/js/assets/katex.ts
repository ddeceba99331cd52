// Maths. The style sheet has its fonts inside.

import katex from "katex";
import style from "katex/dist/katex.min.css";

export { katex, style };
