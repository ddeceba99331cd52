// Diagrams.

import mermaid from "mermaid";

export { mermaid };
