"""The journal: what each call leaves behind, for how long, and that no secret is among it."""

from __future__ import annotations

import json
import sqlite3
import zlib
from contextlib import closing
from typing import Any

import pytest
from conftest import Shop
from requests_mock import Mocker

from syncctl.http import transport

DAY_MS = 86_400_000


@pytest.fixture
def one_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is tried again."""
    monkeypatch.setattr(transport, "TRIES", 1)


@pytest.fixture
def sku(shop: Shop) -> str:
    """A product of the sandbox, which the shop has read."""
    shop.ok("sync-recent")
    found: str = shop.value("SELECT sku FROM products ORDER BY sku LIMIT 1")
    return found


def last_call(shop: Shop) -> dict[str, Any]:
    """The newest row of the journal."""
    with closing(sqlite3.connect(shop.state)) as connection:
        connection.row_factory = sqlite3.Row
        return dict(connection.execute("SELECT * FROM calls ORDER BY id DESC LIMIT 1").fetchone())


def bodies(shop: Shop) -> dict[int, bytes]:
    """What is kept of the answers, unpacked, by call."""
    return {call: zlib.decompress(packed) for call, packed in shop.rows("SELECT call, response FROM bodies")}


def touch(shop: Shop, sku: str) -> None:
    """Changes a product, so that the next run brings it."""
    shop.upstream.put("products", {"ProductCode": sku, "DefaultSellPrice": 77.5})


def service(shop: Shop) -> str:
    return shop.env["SYNCCTL_UNLEASHED_BASE_URL"]


def test_a_call_is_told_in_full(shop: Shop) -> None:
    done = shop.ok("sync-recent", "--json").json()
    rows = shop.rows("SELECT run, connector, method, path, purpose, status FROM calls ORDER BY id")
    assert rows == [
        (done["run"], "unleashed", "GET", "/Products/1?includeObsolete=true&pageSize=200", "recent", 200),
        (done["run"], "unleashed", "GET", "/StockOnHand/1?pageSize=200", "recent", 200),
    ]
    assert shop.value("SELECT min(ms) >= 0 AND min(bytes) > 1000 FROM calls") == 1
    assert shop.value("SELECT sum(bytes) FROM calls") == done["connectors"][0]["bytes"]
    assert shop.value("SELECT count(*) FROM calls WHERE error IS NOT NULL") == 0


@pytest.mark.parametrize(
    ("args", "purpose"), [(("sync-oldest",), "oldest"), (("sync-product", "{sku}"), "manual"), (("doctor",), "manual")]
)
def test_each_command_has_its_purpose(shop: Shop, sku: str, args: tuple[str, ...], purpose: str) -> None:
    shop.ok(*[arg.format(sku=sku) for arg in args])
    assert last_call(shop)["purpose"] == purpose


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        ("500", 500, "The service answers 500 Internal Server Error: An error has occurred"),
        ("drop-before", None, "Remote end closed connection without response"),
        ("drop-after", None, "Remote end closed connection without response"),
        ("truncated", None, "broke off in the middle"),
        ("403", 403, "refuses the credentials with 403"),
    ],
)
@pytest.mark.usefixtures("one_try")
def test_a_failed_call_says_why(shop: Shop, kind: str, status: int | None, words: str) -> None:
    shop.upstream.fault(kind)
    assert shop.run("sync-recent").code == (77 if kind == "403" else 69)
    ((found, error, ms),) = shop.rows("SELECT status, error, ms FROM calls WHERE error IS NOT NULL")
    assert found == status
    assert words in error
    assert ".." not in error
    assert "The next run" not in error, "the same run may try again"
    assert ms is not None


def test_the_service_s_number_of_a_request_is_kept(shop: Shop, requests_mock: Mocker) -> None:
    empty = {"Pagination": {"NumberOfItems": 0, "PageNumber": 0, "NumberOfPages": 0}, "Items": []}
    requests_mock.get(f"{service(shop)}/Products/1", json=empty, headers={"X-Request-Id": "abc-1"})
    requests_mock.get(f"{service(shop)}/StockOnHand/1", json=empty)
    shop.ok("sync-recent")
    assert shop.rows("SELECT request_id FROM calls ORDER BY id") == [("abc-1",), (None,)]


def test_answers_of_a_full_read_are_not_kept(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.ok("sync-recent", "--full")
    assert bodies(shop) == {}


def test_answers_of_later_reads_are_kept(shop: Shop, sku: str) -> None:
    touch(shop, sku)
    shop.ok("sync-recent")
    kept = bodies(shop)
    assert len(kept) == 2
    shown = json.loads(kept[min(kept)])["Items"]
    assert {"ProductCode": sku, "DefaultSellPrice": 77.5}.items() <= {k: shown[0][k] for k in shown[0]}.items()


def test_a_large_answer_is_not_kept(shop: Shop, sku: str, requests_mock: Mocker) -> None:
    for size, kept in ((256 * 1024, 1), (256 * 1024 + 1, 0)):
        requests_mock.get(f"{service(shop)}/Products/1", status_code=400, text="x" * size)
        shop.run("sync-recent")
        assert last_call(shop)["bytes"] == size
        assert shop.value("SELECT count(*) FROM bodies WHERE call = ?", last_call(shop)["id"]) == kept


@pytest.mark.parametrize(("setting", "days"), [({}, 7), ({"SYNCCTL_KEEP_BODIES_DAYS": "2"}, 2)])
def test_old_answers_are_forgotten_and_calls_are_not(shop: Shop, sku: str, setting: dict[str, str], days: int) -> None:
    shop.ok("sync-recent")
    first, second = sorted(bodies(shop))
    shop.write("UPDATE bodies SET at = at - ? WHERE call = ?", days * DAY_MS, first)
    shop.write("UPDATE bodies SET at = at - ? WHERE call = ?", days * DAY_MS - 60_000, second)
    shop.ok("prune", **setting)
    assert first not in bodies(shop)
    assert second in bodies(shop)
    assert shop.value("SELECT count(*) FROM calls WHERE id = ?", first) == 1


@pytest.mark.usefixtures("one_try")
def test_a_key_that_the_service_repeats_is_written_nowhere(shop: Shop, sku: str, requests_mock: Mocker) -> None:
    key = shop.env["SYNCCTL_UNLEASHED_API_KEY"]
    page = f"wrong key {key} or {key.replace('=', '%3D')}"
    with closing(sqlite3.connect(shop.state)) as reader:  # keeps the -wal file from being folded in at the end
        reader.execute("BEGIN").connection.execute("SELECT * FROM runs").fetchone()
        said = ""
        for status in (400, 403, 429, 500, 302):
            headers = {"Retry-After": "1", "Location": f"/login?key={key}"}
            requests_mock.get(f"{service(shop)}/Products/1", status_code=status, text=page, headers=headers)
            for result in (shop.run("sync-recent", "-v"), shop.run("sync-recent", "--json")):
                said += result.out + result.err
            shop.write("DELETE FROM blocks")
        files = b"".join(path.read_bytes() for path in shop.folder.iterdir() if path.is_file())
        assert shop.state.with_name("syncctl.db-wal").stat().st_size > 0
    assert "wrong key *** or ***" in said
    for text in (said.encode(), files, b"".join(bodies(shop).values())):
        assert not any(form.encode() in text for form in (key, key.replace("=", "%3D")))
    assert any(b"wrong key ***" in body for body in bodies(shop).values())


def test_a_bug_shows_where_it_is_but_no_key(shop: Shop, sku: str) -> None:
    key = shop.env["SYNCCTL_UNLEASHED_API_KEY"]
    shop.write("UPDATE cursors SET stamp = ? WHERE kind = 'products'", json.dumps({key: 1}))
    result = shop.run("sync-recent", "--json")
    assert result.code == 70
    assert "Traceback" in result.err
    assert "{'***': 1}" in result.err
    assert "unleashed: A bug in syncctl" in result.err.splitlines()[-1]
    (error,) = result.only()["errors"]
    assert error["remedy"] == "Report it with the lines above"
    assert key not in result.err + result.out
