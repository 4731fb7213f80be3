"""The tables that are made from the code are up to date, and none is left out."""

from __future__ import annotations

from tests.docs_tables import DOCUMENTS, TABLES, renew, tables_in


def test_each_document_says_what_the_code_declares() -> None:
    """Run scripts/docs-tables after a change of the declarations."""
    for document in DOCUMENTS:
        text = document.read_text("utf-8")
        assert renew(text) == text, document.name


def test_each_table_stands_in_one_document() -> None:
    found = [name for document in DOCUMENTS for name in tables_in(document.read_text("utf-8"))]
    assert sorted(found) == sorted(TABLES)


def test_a_stale_table_is_made_anew_and_the_text_around_it_stays() -> None:
    stale = "Before.\n<!-- table: tasks -->\n| old |\n<!-- end of table -->\nAfter.\n"
    renewed = renew(stale)
    assert "| old |" not in renewed
    assert f"Before.\n<!-- table: tasks -->\n{TABLES['tasks']()}<!-- end of table -->\nAfter.\n" == renewed
