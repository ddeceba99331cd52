"""Tables show any text harmlessly."""

from datetime import datetime

from prodigon_lib.workshop.table import Table


def test_text_from_a_model_is_escaped() -> None:
    html = Table(["answer"], [("<script>alert(1)</script>",)])._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_a_terminal_gets_aligned_columns() -> None:
    table = Table(["name", "n"], [("a", 1), ("longer", 22)])
    assert repr(table).splitlines() == ["name    n", "a       1", "longer  22"]


def test_values_are_shown_in_one_short_line() -> None:
    table = Table.of([{"text": "a\n" * 100, "none": None, "time": datetime(2026, 1, 2, 3, 4, 5)}])
    row = repr(table).splitlines()[1]
    assert "…" in row
    assert " - " in row
    assert "03:04:05.000" in row


def test_columns_can_be_chosen() -> None:
    assert Table.of([{"a": 1, "b": 2}], ["b", "c"]).rows == [(2, None)]
