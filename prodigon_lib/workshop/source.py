"""Shows a piece of the library's own source in a lesson, so that no lesson copies it."""

import ast
from pathlib import Path

from prodigon_lib.core.locations import PACKAGE
from prodigon_lib.workshop.code_block import code_block


class Source:
    """Text with its place; drawn as a code block whose long lines scroll sideways."""

    def __init__(self, text: str, place: str, language: str) -> None:
        self.text, self.place, self.language = text, place, language

    def _repr_html_(self) -> str:
        return code_block(self.text, self.language, self.place)

    def _repr_markdown_(self) -> str:
        """For pages that draw no HTML of a notebook's."""
        return f"`{self.place}`\n\n```{self.language}\n{self.text}\n```"

    def __repr__(self) -> str:
        return f"# {self.place}\n{self.text}"


def show_source(module: str, name: str) -> Source:
    """The class, function or constant `name` of a module of the library.

    A constant that holds SQL is shown as SQL, without the quotes around it.

    Args:
        module: its path below `prodigon_lib`, such as `worker/queues/statements.py`.

    Raises:
        LookupError: the module has no such name at its top level.
    """
    path = Path(PACKAGE, module)
    code = path.read_text(encoding="utf-8")
    for node in ast.parse(code).body:
        if name not in defined(node):
            continue
        assert node.end_lineno is not None
        place = f"prodigon_lib/{module}, line {node.lineno}"
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            return Source(str(node.value.value).strip(), place, "sql")
        lines = code.splitlines()[node.lineno - 1 : node.end_lineno]
        return Source("\n".join(lines), place, "python")
    raise LookupError(f"prodigon_lib/{module} defines no {name}")


def defined(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return {node.name}
    if isinstance(node, ast.Assign):
        return {target.id for target in node.targets if isinstance(target, ast.Name)}
    return set()
