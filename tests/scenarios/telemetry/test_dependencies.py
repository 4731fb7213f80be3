"""A look at the calls of a component tells who calls it, users and clients outside among them."""

from __future__ import annotations

from scenarios.catalogue import Catalogue
from scenarios.vocabulary.diagnostics import Dependencies


def test_an_edge_tells_who_calls_from_outside() -> None:
    incident = Catalogue().get("GEN2-RP-D1-281474976710676").incident
    shown, _ = incident.begin().look("check_dependencies", "product-gateway")
    assert isinstance(shown, Dependencies)
    rows = {path.service: path for path in shown.called_by}
    assert set(rows) == {"users of order-food", "users of menus", "client status-widgets", "client synthetic-menus"}
    assert rows["client status-widgets"].detail.startswith("3635 requests/s from outside (normal 7.3), 100.0 % fail")
    behind, _ = incident.begin().look("check_dependencies", "orders")
    assert "from outside" not in behind.text
