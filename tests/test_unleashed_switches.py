"""Points on which Unleashed's documentation is silent: whichever way the service behaves, the result is the same."""

from __future__ import annotations

import uuid

import pytest
import requests
from conftest import Shop, Upstream
from requests_mock import Mocker

from syncctl.connectors._fields import microsoft_date
from syncctl.connectors.unleashed import signature
from syncctl.sandbox.unleashed import service


def upstream_ids(upstream: Upstream, kind: str) -> set[str]:
    found = upstream.request("GET", f"records/unleashed/{kind}")["records"]
    return {record["Guid"] for record in found}


def mirrored(shop: Shop) -> set[str]:
    return {remote_id for (remote_id,) in shop.rows("SELECT remote_id FROM remote_products WHERE state <> 'gone'")}


@pytest.mark.parametrize("form", ["decoded", "either"])
def test_every_command_is_signed_rightly(shop: Shop, form: str) -> None:
    shop.upstream.switch(signature=form)
    shop.upstream.put("products", {"ProductCode": "TWO WORDS"})
    shop.ok("sync-recent")
    shop.ok("sync-recent")
    shop.ok("sync-oldest")
    shop.ok("sync-product", "TWO WORDS", "MUG")
    shop.ok("doctor")
    assert mirrored(shop) == upstream_ids(shop.upstream, "products")


@pytest.mark.parametrize("needed", ["optional", "required"])
def test_the_client_type_may_be_required(shop: Shop, needed: str) -> None:
    shop.upstream.switch(client_type=needed)
    shop.ok("sync-recent")
    assert len(mirrored(shop)) == 120


@pytest.mark.products(450)
class TestLargePages:
    @pytest.mark.parametrize(("cap", "pages"), [("200", 3), ("500", 1), ("1000", 1)])
    def test_a_page_may_be_smaller_than_what_was_asked_for(self, shop: Shop, cap: str, pages: int) -> None:
        shop.upstream.switch(page_cap=cap)
        shop.ok("sync-recent", SYNCCTL_UNLEASHED_PAGE_SIZE="1000")
        assert shop.value("SELECT count(*) FROM calls WHERE path LIKE '/Products/%'") == pages
        assert mirrored(shop) == upstream_ids(shop.upstream, "products")
        assert shop.value("SELECT count(*) FROM remote_stock") == len(upstream_ids(shop.upstream, "stock"))


@pytest.mark.parametrize("past_end", ["empty", "last_page", "404"])
def test_a_read_whose_pages_become_fewer_ends_well(shop: Shop, past_end: str) -> None:
    """Four pages are read, the fifth is not answered; until the next run so much is deleted that it is past the end."""
    shop.upstream.switch(past_end=past_end)
    shop.upstream.fault("html", "^/Products/5")
    small = {"SYNCCTL_UNLEASHED_PAGE_SIZE": "25"}
    assert shop.run("sync-recent", **small).code == 76
    codes = sorted((record["ProductCode"], record["Guid"]) for record in all_products(shop.upstream))
    for _, guid in codes[90:]:
        shop.upstream.delete("products", guid)
    assert shop.run("sync-recent", "--accept-loss", **small).code == 0
    assert mirrored(shop) == upstream_ids(shop.upstream, "products")
    assert shop.ok("sync-recent", "--json", **small).only()["calls"] == 2


def all_products(upstream: Upstream) -> list[dict[str, str]]:
    found: list[dict[str, str]] = upstream.request("GET", "records/unleashed/products")["records"]
    return found


@pytest.mark.parametrize("since", ["inclusive", "strict"])
def test_a_change_in_the_second_of_the_stamp_is_seen(shop: Shop, since: str) -> None:
    shop.upstream.switch(modified_since=since)
    mug, bowl = (guid_of(shop, sku) for sku in ("MUG", "BOWL"))
    shop.upstream.put("products", {"Guid": mug, "DefaultSellPrice": 1})
    shop.ok("sync-recent")
    moment = next(p["LastModifiedOn"] for p in all_products(shop.upstream) if p["Guid"] == mug)
    late = {"Guid": bowl, "DefaultSellPrice": 2, "LastModifiedOn": moment}
    shop.upstream.put("products", late, silent=True)
    shop.ok("sync-recent")
    assert shop.value("SELECT price FROM catalogue WHERE sku = 'BOWL'") == "2.00"


def guid_of(shop: Shop, sku: str) -> str:
    guid: str = shop.upstream.request("GET", f"records/unleashed/products?sku={sku}")["records"][0]["Guid"]
    return guid


@pytest.mark.parametrize("soh_time", ["honoured", "day_only"])
def test_stock_may_be_told_for_the_whole_day(shop: Shop, soh_time: str) -> None:
    shop.upstream.switch(soh_time=soh_time)
    shop.ok("sync-recent")
    shop.upstream.put("stock", {"ProductCode": "MUG", "AvailableQty": 31})
    shop.ok("sync-recent")
    shop.upstream.advance(7200)
    shop.upstream.put("stock", {"ProductCode": "BOWL", "AvailableQty": 32})
    again = shop.ok("sync-recent", "--json").only()
    assert (again["calls"], again["changed"]) == (2, 1)
    stock = dict(shop.rows("SELECT sku, available FROM catalogue WHERE sku IN ('MUG', 'BOWL')"))
    assert stock == {"MUG": 31, "BOWL": 32}


@pytest.mark.parametrize("shows", ["no", "yes"])
def test_obsolete_products_are_verified_and_not_called_gone(shop: Shop, shows: str) -> None:
    shop.upstream.switch(product_id_shows_obsolete=shows)
    shop.ok("sync-recent")
    inactive = shop.value("SELECT count(*) FROM remote_products WHERE state = 'inactive'")
    assert inactive
    oldest = shop.ok("sync-oldest", "--limit", "150", "--json").only()
    assert (oldest["verified"], oldest["gone"], oldest["calls"]) == (120, 0, 6)
    assert shop.value("SELECT count(*) FROM remote_products WHERE state = 'inactive'") == inactive


@pytest.mark.parametrize(
    ("status", "longest"), [("404", 1100), ("414", 1100), ("400", 1100), ("404", 600), ("404", 150)]
)
def test_a_list_that_is_too_long_is_halved(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, status: str, longest: int
) -> None:
    shop.ok("sync-recent")
    shop.upstream.switch(too_long=status)
    monkeypatch.setattr(service, "LONGEST_QUERY", longest)
    oldest = shop.ok("sync-oldest", "--limit", "50", "--json").only()
    assert (oldest["verified"], oldest["gone"]) == (50, 0)
    refused = shop.value("SELECT count(*) FROM calls WHERE status = ?", int(status))
    assert 1 <= refused <= 10, "the shorter length is kept for the lists that follow"


@pytest.mark.parametrize("answer", ["404", "empty", "zero"])
def test_a_product_that_never_moved_has_no_stock(shop: Shop, answer: str) -> None:
    shop.upstream.switch(stock_404=answer)
    shop.upstream.put("products", {"ProductCode": "NEVER-MOVED", "DefaultSellPrice": 5})
    shop.ok("sync-product", "NEVER-MOVED")
    shop.ok("sync-product", "NEVER-MOVED")
    assert shop.rows("SELECT price, available FROM catalogue WHERE sku = 'NEVER-MOVED'") == [("5.00", 0)]


@pytest.mark.parametrize("status", ["429", "403"])
def test_a_used_up_month_is_left_for_later_and_remembered(shop: Shop, status: str) -> None:
    shop.ok("sync-recent")
    shop.write("UPDATE spend SET used = 899 WHERE win = 'month'")
    used = shop.upstream.calls()
    shop.upstream.switch(month_answer=status)
    shop.upstream.request("POST", "quota", {"service": "unleashed", "used": 125_000})
    limits = {"SYNCCTL_UNLEASHED_LIMITS": "1000/minute, 1000/month"}
    first = shop.run("sync-recent", "--json", **limits)
    assert (first.code, len(first.err.splitlines())) == (0, 1)
    assert "quota" in first.err
    assert first.only()["deferred_until"]
    assert shop.upstream.calls() == used + 1
    shop.ok("sync-recent", **limits)
    assert shop.upstream.calls() == used + 1, "the next run knows of the block"


@pytest.mark.parametrize("lag", [0, 300])
def test_a_product_that_lists_show_late_is_not_lost(shop: Shop, lag: int) -> None:
    shop.ok("sync-recent")
    shop.upstream.switch(search_lag=lag)
    post_product(shop, "LATE")
    shop.upstream.advance(60)
    shop.upstream.put("products", {"ProductCode": "MUG", "DefaultSellPrice": 1})
    shop.ok("sync-recent")
    shop.upstream.advance(lag)
    shop.ok("sync-recent")
    assert shop.rows("SELECT price FROM catalogue WHERE sku = 'LATE'") == [("8.00",)]


def post_product(shop: Shop, sku: str) -> None:
    """Creates a product through the service's own API, as another client of it would."""
    guid, env = str(uuid.uuid4()), shop.env
    answer = requests.post(
        f"{env['SYNCCTL_UNLEASHED_BASE_URL']}/Products/{guid}",
        json={"Guid": guid, "ProductCode": sku, "ProductDescription": sku, "DefaultSellPrice": 8},
        headers={
            "api-auth-id": env["SYNCCTL_UNLEASHED_API_ID"],
            "api-auth-signature": signature(env["SYNCCTL_UNLEASHED_API_KEY"], ""),
        },
        timeout=30,
    )
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ('{"Items": [{"Guid": "a"}]}', "NumberOfPages"),
        ('{"Items": [{"Guid": "a"}], "Pagination": {"NumberOfPages": "3"}}', "NumberOfPages"),
        ('{"Items": [{"Guid": "a"}], "Pagination": {"NumberOfPages": 3, "PageNumber": 2}}', "page 2 came"),
        ('{"Items": {}}', "Items"),
        ("[]", "Items"),
        ("null", "Items"),
    ],
)
def test_a_list_in_another_form_is_not_taken_for_a_whole_one(
    shop: Shop, requests_mock: Mocker, body: str, word: str
) -> None:
    requests_mock.get(requests_mock_any(shop), text=body)
    result = shop.run("sync-recent")
    assert result.code == 76
    assert word in result.err
    assert shop.value("SELECT count(*) FROM remote_products") == 0
    assert shop.value("SELECT count(*) FROM cursors WHERE stamp IS NOT NULL") == 0


def requests_mock_any(shop: Shop) -> str:
    return f"{shop.env['SYNCCTL_UNLEASHED_BASE_URL']}/Products/1"


def test_a_refusal_of_any_form_is_told_in_one_sentence(shop: Shop, requests_mock: Mocker) -> None:
    bodies = ['{"Items": 5, "Description": "no such thing"}', '{"Items": [3]}', '"x"', "{", "<b>no such thing</b>"]
    for body in bodies:
        requests_mock.get(requests_mock_any(shop), text=body, status_code=400)
        result = shop.run("sync-recent")
        assert result.code == 76, result
        assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize("jump", [90_000, 400 * 86_400])
def test_what_changes_after_the_clock_was_ahead_is_not_lost(shop: Shop, jump: int) -> None:
    """The service's clock jumps ahead and comes back; the stamp that a run left meanwhile lies in the future."""
    shop.ok("sync-recent")
    shop.upstream.advance(jump)
    shop.upstream.put("products", {"ProductCode": "BOWL", "DefaultSellPrice": 6})
    shop.ok("sync-recent")
    shop.upstream.advance(-jump)
    for price in (7, 8):
        shop.upstream.put("products", {"ProductCode": "MUG", "DefaultSellPrice": price})
        shop.ok("sync-recent")
        assert shop.rows("SELECT price FROM catalogue WHERE sku = 'MUG'") == [(f"{price}.00",)]
    assert shop.ok("sync-recent", "--json").only()["calls"] == 2, "the stamp is back in the present"


@pytest.mark.parametrize("value", ["/Date(99999999999999999999999)/", "/Date(١٢)/", "/Date()/", "Date(1)", 7, None])
def test_what_is_no_date_is_no_version(value: object) -> None:
    assert microsoft_date(value) == 0
    assert microsoft_date("/Date(1413763969623+1300)/") == 1413763969623
