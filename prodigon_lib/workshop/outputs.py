"""Runs notebooks from top to bottom and saves them with their outputs, as they are committed.

python -m prodigon_lib.workshop.outputs notebooks/*.ipynb

They run with the exercises and in a home of their own, so that the author's progress is in no output.
"""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
from nbclient import NotebookClient

CELL_SECONDS = 120
WIDGET = "application/vnd.jupyter.widget-view+json"


def refresh(path: Path) -> None:
    """Run one notebook in its own folder and write it back.

    Times of execution and widget state are left out: they change with every run and nobody reads them.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed; the notebook is then not written.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        store_widget_state=False,
    )
    with TemporaryDirectory(prefix="prodigon-", ignore_cleanup_errors=True) as home:
        client.execute(env=os.environ | {"PRODIGON_HOME": home, "PRODIGON_EXERCISES": "exercises"})
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})
        if cell.cell_type == "code":
            cell.outputs = without_widgets(joined(cell.outputs))
    nbformat.write(notebook, path)


def joined(outputs: list[Any]) -> list[Any]:
    """Neighbouring pieces of one text stream as one output: how it was cut depends on timing alone."""
    kept: list[Any] = []
    for output in outputs:
        if output.output_type == "stream" and kept and kept[-1].get("name") == output.name:
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


def without_widgets(outputs: list[Any]) -> list[Any]:
    """The outputs with what a widget shows without JavaScript: a view without its state is only a fault."""
    for output in outputs:
        output.get("data", {}).pop(WIDGET, None)
    return outputs


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(name, flush=True)
        refresh(Path(name))
