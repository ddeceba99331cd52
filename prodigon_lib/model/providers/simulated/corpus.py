"""The curriculum's text, cut into the sections that an answer is made of."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

FOLDER = Path(__file__).parent / "curriculum"
GLOSSARY = "glossary"

HEADING = re.compile(r"^## +(.+)$", re.MULTILINE)
GLOSSARY_ENTRY = re.compile(r"^\*\*(.+?)\*\*: ", re.MULTILINE)
FENCE = re.compile(r"^```(\w*)\n.*?^```$", re.MULTILINE | re.DOTALL)
TABLE = re.compile(r"(?:^\|.*\|$\n?)+", re.MULTILINE)
FORMULA = re.compile(r"\$\$.*?\$\$", re.DOTALL)
SENTENCE_END = re.compile(r"(?<=[.!?])[)*`_\"]*\s+(?=[\"(*`_A-Z0-9])")
NOT_AN_END = re.compile(r"\b(?:e\.g|i\.e|etc|vs|cf|no)\.$", re.IGNORECASE)


@dataclass(frozen=True)
class Section:
    """A piece of one file: a heading's text, or one entry of the glossary. `body` is Markdown."""

    file: str
    topic: str
    """The file's title."""
    title: str
    body: str
    position: int
    """Its place in the file, from 0; what stands before the first heading is 0."""

    @property
    def is_entry(self) -> bool:
        return self.file == GLOSSARY

    @cached_property
    def code(self) -> list[str]:
        """Its blocks of code, fences included; diagrams are not among them."""
        return [block.group() for block in FENCE.finditer(self.body) if block[1] not in ("mermaid", "text")]

    @cached_property
    def diagrams(self) -> list[str]:
        return [block.group() for block in FENCE.finditer(self.body) if block[1] == "mermaid"]

    @cached_property
    def tables(self) -> list[str]:
        return [table.group().rstrip() for table in TABLE.finditer(FENCE.sub("", self.body))]

    @cached_property
    def formulas(self) -> list[str]:
        return FORMULA.findall(self.body)

    @cached_property
    def paragraphs(self) -> list[str]:
        """Its prose, one line each: no code, table, formula or list."""
        prose = FORMULA.sub("", TABLE.sub("", FENCE.sub("", self.body)))
        blocks = [" ".join(block.split()) for block in prose.split("\n\n")]
        return [block for block in blocks if block and not re.match(r"(?:[-*] |\d+\. |#)", block)]

    @cached_property
    def items(self) -> list[str]:
        """What its lists say, one line each."""
        prose = FENCE.sub("", self.body)
        found = re.findall(r"^(?:- |\d+\. )(.+(?:\n {2,}.+)*)", prose, re.MULTILINE)
        return [" ".join(item.split()) for item in found]

    @cached_property
    def sentences(self) -> list[str]:
        return [sentence for paragraph in self.paragraphs for sentence in split_sentences(paragraph)]


def split_sentences(text: str) -> list[str]:
    """The sentences of one paragraph; one that ends in a colon is left out, as what follows is not here."""
    pieces: list[str] = []
    for piece in SENTENCE_END.split(text):
        if pieces and NOT_AN_END.search(pieces[-1]):
            pieces[-1] += f" {piece}"
        else:
            pieces.append(piece)
    return [piece.strip() for piece in pieces if piece.strip() and not piece.strip().endswith(":")]


def load_curriculum(folder: Path = FOLDER) -> list[Section]:
    """Every section of every file, in order."""
    return [section for path in sorted(folder.glob("*.md")) for section in read_file(path)]


def read_file(path: Path) -> list[Section]:
    title, _, rest = path.read_text(encoding="utf-8").lstrip().removeprefix("# ").partition("\n")
    marker = GLOSSARY_ENTRY if path.stem == GLOSSARY else HEADING
    pieces = marker.split(rest)
    sections = [Section(path.stem, title.strip(), title.strip(), pieces[0].strip(), 0)]
    for position, (name, body) in enumerate(zip(pieces[1::2], pieces[2::2], strict=True), start=1):
        text = f"**{name}**: {body.strip()}" if marker is GLOSSARY_ENTRY else body.strip()
        sections.append(Section(path.stem, title.strip(), name.strip(), text, position))
    return [section for section in sections if section.body]
