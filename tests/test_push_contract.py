"""What every connector promises of `push` and `seek`, tested against the local copy of its service."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import posting
import pytest
import vendposting
import xero_posting
from conftest import Shop, Upstream
from contract import UNKNOWN_ID, connected
from seeded import seeded

from syncctl.connectors.base import Connector
from syncctl.errors import UnknownOutcomeError
from syncctl.models import Kind
from syncctl.models_push import NewCustomer, NewProduct, Outgoing, Sale, Seen, guid_of
from syncctl.shop.order import Line, Order, Payment

DAY = date(2026, 11, 23)
FOLLOWS = (Kind.COMPLETIONS, Kind.PAYMENTS)


class Bench:
    """A connector that posts, and its service seen from behind."""

    def __init__(self, shop: Shop, connector: Connector) -> None:
        self.shop = shop
        self.connector = connector
        self.customer = self.created(Kind.CUSTOMERS, "SOMEBODY")
        self.product = self.created(Kind.PRODUCTS, "SOMETHING")

    @property
    def kinds(self) -> Sequence[Kind]:
        return list(self.connector.pushes)

    def created(self, kind: Kind, name: str) -> str:
        """Creates a record; its remote id."""
        (outcome,) = self.connector.push(kind, [self.row(kind, name)])
        assert outcome.result == "done", outcome
        return outcome.remote_id

    def rows(self, kind: Kind, *names: str) -> list[Outgoing]:
        """Records on their way; the orders of what follows orders are posted before."""
        if kind in FOLLOWS:
            return self._following(kind, [f"{name}-of-{kind}" for name in names])
        return [self.row(kind, name) for name in names]

    def row(self, kind: Kind, name: str) -> Outgoing:
        make: Mapping[Kind, Callable[[str], NewCustomer | NewProduct | Sale]] = {
            Kind.CUSTOMERS: _customer, Kind.PRODUCTS: _product, Kind.ORDERS: self.sale,
        }  # fmt: skip
        reference = f"demo-{name}" if kind is Kind.ORDERS else name
        return Outgoing(reference, guid_of("demo", kind, name), make[kind](name))

    def sale(self, name: str, customer: str = "", rate: str = "0.15") -> Sale:
        line = Line(Decimal("10.00"), sku="SOMETHING", tax_rate=Decimal(rate))
        paid = Payment("card", Decimal("11.50"))
        now = datetime(2026, 11, 23, 5, tzinfo=UTC)
        order = Order(name, now, "NZD", "paid", (line,), Decimal("11.50"), payments=(paid,))
        return Sale(order, customer or self.customer, {"SOMETHING": self.product}, DAY)

    def _following(self, kind: Kind, names: Sequence[str]) -> list[Outgoing]:
        outcomes = self.connector.push(Kind.ORDERS, self.rows(Kind.ORDERS, *names))
        ids = dict(zip(names, (outcome.remote_id for outcome in outcomes), strict=True))
        return [
            Outgoing(f"demo-{name}/1", guid_of("demo", kind, name), follow.record)
            for name in names
            for follow in self.connector.follow(self.sale(name).order, ids[name], lambda _: DAY)
        ]

    def writes(self) -> dict[str, dict[str, int]]:
        """How often each record of the service was written."""
        name = self.shop.upstream.service
        kinds = ("customers", "products", RECORDS[name])
        return {
            kind: self.shop.upstream.request("GET", f"records/{name}/{kind}?limit=9999")["writes"] for kind in kinds
        }

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """Nothing is written meanwhile."""
        before = self.writes()
        yield
        assert self.writes() == before


RECORDS = {"unleashed": "sales_orders", "vend": "sales", "xero": "invoices"}


def _customer(name: str) -> NewCustomer:
    return NewCustomer(name, f"Ann {name}", email=f"{name.lower()}@shop.test")


def _product(name: str) -> NewProduct:
    return NewProduct(name, f"Cup {name}", price=Decimal("10.00"), tax_rate=Decimal("0.15"))


def there(found: Seen | None) -> Seen:
    assert found
    return found


class PushContract:
    """The promises; a service is named by its settings, and by where each kind is created."""

    service: ClassVar[str]
    settings: ClassVar[Mapping[str, str]]
    creates: ClassVar[Mapping[Kind, tuple[str, str]]]

    @pytest.fixture
    def bench(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
        with seeded(self.service, products=6) as sandbox, ExitStack() as stack:
            (tmp_path / ".env").touch(mode=0o600)
            shop = Shop(tmp_path, sandbox.env() | dict(self.settings), Upstream(sandbox.url, self.service))
            yield Bench(shop, stack.enter_context(connected(shop, monkeypatch)))

    def lose_answer(self, bench: Bench, kind: Kind) -> None:
        method, path = self.creates[kind]
        bench.shop.upstream.fault("drop-after", match={"method": method, "path": path})

    def test_each_row_has_an_outcome_in_their_order_and_stands_there(self, bench: Bench) -> None:
        for kind in bench.kinds:
            rows = bench.rows(kind, "C", "A", "B")
            outcomes = bench.connector.push(kind, rows)
            assert [each.result for each in outcomes] == ["done"] * 3
            with bench.untouched():
                seen = [there(found) for found in bench.connector.seek(kind, list(reversed(rows)))]
            assert [each.remote_id for each in reversed(seen)] == [each.remote_id for each in outcomes]
            assert len({each.remote_id for each in seen}) == 3
            assert all(each.live for each in seen)

    def test_a_refusal_touches_no_other(self, bench: Bench) -> None:
        """Neither what is refused before the call, nor what the service refuses."""
        rows = bench.rows(Kind.ORDERS, "1", "2", "3", "4", "5")
        rows[1] = rows[1].changed(record=bench.sale("2", rate="0.25"))
        rows[3] = rows[3].changed(record=bench.sale("4", customer=UNKNOWN_ID))
        outcomes = bench.connector.push(Kind.ORDERS, rows)
        assert [each.result for each in outcomes] == ["done", "refused", "done", "refused", "done"]
        assert all(each.cause and each.message and each.remedy for each in (outcomes[1], outcomes[3]))
        assert outcomes[3].strangers == (UNKNOWN_ID,)
        stands = [found is not None for found in bench.connector.seek(Kind.ORDERS, rows)]
        assert stands == [True, False, True, False, True]

    def test_a_lost_answer_is_found_under_its_reference(self, bench: Bench) -> None:
        for kind in bench.kinds:
            rows = bench.rows(kind, "LOST-1")
            self.lose_answer(bench, kind)
            with pytest.raises(UnknownOutcomeError):
                bench.connector.push(kind, rows)
            with bench.untouched():
                (seen,) = bench.connector.seek(kind, rows)
            assert there(seen).live
            assert there(seen).reference in ("", rows[0].reference)
            assert there(seen).total in (None, Decimal("11.50"))

    def test_what_was_never_sent_is_not_found_whatever_resembles_it(self, bench: Bench) -> None:
        for kind in bench.kinds:
            bench.connector.push(kind, bench.rows(kind, "NEAR-1"))
            never = bench.rows(kind, "NEAR", "NEAR-", "NEAR-12", "EAR-1", "NÉAR-1")
            with bench.untouched():
                assert bench.connector.seek(kind, never) == [None] * 5

    def test_a_whole_batch_is_one_call_of_its_kind(self, bench: Bench) -> None:
        for kind in bench.kinds:
            names = [f"B{number}" for number in range(bench.connector.pushes[kind].batch)]
            rows = bench.rows(kind, *names)
            before = bench.shop.upstream.calls()
            assert {each.result for each in bench.connector.push(kind, rows)} == {"done"}
            assert bench.shop.upstream.calls() - before == 1
            assert None not in bench.connector.seek(kind, rows)


class TestUnleashed(PushContract):
    service = "unleashed"
    settings = posting.SETTINGS | {"SYNCCTL_UNLEASHED_STATUS": "Completed", "SYNCCTL_UNLEASHED_LIMITS": "9999/minute"}
    creates: ClassVar = {
        Kind.CUSTOMERS: ("POST", "/Customers"),
        Kind.PRODUCTS: ("POST", "/Products"),
        Kind.ORDERS: ("POST", "/SalesOrders"),
        Kind.COMPLETIONS: ("POST", "/Complete"),
    }


class TestVend(PushContract):
    service = "vend"
    settings = vendposting.SETTINGS
    creates: ClassVar = {
        Kind.CUSTOMERS: ("POST", "/customers"),
        Kind.PRODUCTS: ("POST", "/products"),
        Kind.ORDERS: ("POST", "/sales"),
    }

    def test_an_sku_that_differs_only_in_case_is_another(self, bench: Bench) -> None:
        bench.shop.upstream.switch(sku_case="ignored")
        bench.created(Kind.PRODUCTS, "Case-1")
        assert bench.connector.seek(Kind.PRODUCTS, bench.rows(Kind.PRODUCTS, "CASE-1")) == [None]


class TestXero(PushContract):
    service = "xero"
    settings = xero_posting.SETTINGS
    creates: ClassVar = {
        Kind.CUSTOMERS: ("PUT", "/Contacts"),
        Kind.PRODUCTS: ("PUT", "/Items"),
        Kind.ORDERS: ("PUT", "/Invoices"),
        Kind.PAYMENTS: ("PUT", "/Payments"),
    }
