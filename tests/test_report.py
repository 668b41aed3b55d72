"""`syncctl report` writes a page that stands alone; `datasette.yml` speaks of tables and columns that there are."""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import closing
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import posting
import pytest
import yaml
from conftest import Shop

from syncctl.state.database import open_database
from syncctl.state.reporting import endpoint


class Page(HTMLParser):
    """A page: whether every tag is closed, what it would load, and the rows of its tables and bars."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.titles: list[str] = []
        self.cells: list[str] = []
        self.ends: list[str] = []
        self.said = ""
        self.feed(file.read_text())
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta",):
            self.open.append(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href")] + ["script"] * (tag == "script")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said += data
        if self.open[-1:] == ["title"] and "g" in self.open:
            self.titles.append(data)
        if self.open[-3:] == ["figure", "div", "span"] and "Z" in data:
            self.ends.append(data)
        if self.open[-1:] == ["td"]:
            self.cells.append(data)


def written(shop: Shop, *args: str, **settings: str) -> Page:
    file = shop.folder / "report.html"
    shop.ok("report", str(file), *args, **settings)
    return Page(file)


def test_an_empty_state_has_a_page(shop: Shop) -> None:
    open_database(shop.state).close()
    page = written(shop)
    assert "sync-recent has never succeeded" in page.said
    assert "Nothing waits." in page.said
    assert page.titles == []


def test_the_page_tells_what_happened_and_loads_nothing(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.upstream.fault("500", "/Products", times=20)
    shop.run("sync-recent")
    page = written(shop, "--days", "7")
    assert page.loads == []
    today = [title for title in page.titles if "recent" in title]
    calls = shop.rows("SELECT count(*) FROM calls WHERE purpose = 'recent'")[0][0]
    assert [title.partition(": ")[2] for title in today] == [f"recent {calls}"]
    assert "GET /Products/{id}" in page.cells
    assert any("500" in cell for cell in page.cells)


def test_names_from_outside_are_text(shop: Shop) -> None:
    open_database(shop.state).close()
    wicked = '["<script>alert(1)</script>", "<b>", "Mend it"]'
    with closing(sqlite3.connect(shop.state)) as sql, sql:
        now = "strftime('%s', 'now') * 1000"
        sql.execute(f"INSERT INTO runs (id, command, started_at, pid) VALUES (1, 'sync-recent', {now}, 1)")
        sql.execute(
            "INSERT INTO run_connectors VALUES (1, 'unleashed', 65, 1, 0, 0, 0, 0, 0, 0, 0, NULL, ?)", (f"[{wicked}]",)
        )
    assert "<b>. Mend it." in written(shop).cells


def test_what_waits_is_in_it(shop: Shop) -> None:
    posting.ready(shop)
    posting.place(shop, posting.order("1"), posting.order("2", posting.line(rate="0.07"), total="10.70"))
    posting.post(shop)
    page = written(shop, SYNCCTL_UNLEASHED_LIMITS="100000/24 hours")
    assert [title.partition(": ")[2] for title in page.titles if "purpose" in title or "unleashed" in title] == [
        "unleashed 1"
    ]
    assert {"orders", "tax-unmapped", "rejected", "24 h"} <= set(page.cells)


def test_the_plot_of_freshness_ends_with_the_report(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.write("UPDATE runs SET started_at = started_at - 3600000, finished_at = finished_at - 3600000")
    page = written(shop)
    assert page.ends[1] == re.findall(r"days up to (\S+),", page.said)[0]


def test_the_json_has_the_figures(shop: Shop) -> None:
    shop.ok("sync-recent")
    told = shop.ok("report", str(shop.folder / "r.html"), "--json", "--days", "3").json()
    (connector,) = told["connectors"]
    assert (len(connector["days"]), connector["days"][-1]["calls"]) == (3, {"recent": 2})
    assert connector["freshness"][0]["worst_seconds"] is None
    assert connector["endpoints"][0]["calls"] == 1


def test_a_folder_that_is_not_there_is_an_error_with_its_name(shop: Shop) -> None:
    open_database(shop.state).close()
    result = shop.run("report", str(shop.folder / "nowhere" / "r.html"))
    assert result.code != 0
    assert "nowhere/r.html cannot be written" in result.err


def test_a_pipe_stays_a_pipe(shop: Shop) -> None:
    open_database(shop.state).close()
    pipe = shop.folder / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    shop.ok("report", str(pipe))
    assert os.read(reading, 15) == b"<!DOCTYPE html>"
    os.close(reading)
    assert pipe.is_fifo()


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/Products/8b6f2f6e-1111-4000-8000-00000000abcd", "GET /Products/{id}"),
        ("/Products/12?pageSize=200", "GET /Products/{id}"),
        ("/api/2026-07/products?after=5", "GET /api/2026-07/products"),
    ],
)
def test_calls_are_grouped_by_what_they_ask_for(path: str, told: str) -> None:
    assert endpoint("GET", path) == told


class TestDatasette:
    @pytest.fixture
    def metadata(self) -> dict[str, Any]:
        told: dict[str, Any] = yaml.safe_load((Path(__file__).parent.parent / "datasette.yml").read_text())
        databases: dict[str, Any] = told["databases"]
        assert databases["state"] == databases["syncctl"]
        return dict(databases["syncctl"])

    def test_its_tables_and_columns_are_there(self, metadata: dict[str, Any], tmp_path: Path) -> None:
        open_database(tmp_path / "s.db").close()
        with closing(sqlite3.connect(tmp_path / "s.db")) as sql:
            for table, told in metadata["tables"].items():
                columns = {row[1] for row in sql.execute(f"PRAGMA table_info({table})")}
                assert columns
                assert set(told.get("columns", {})) <= columns
            named = "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT GLOB '*sqlite_*'"
            assert {name for (name,) in sql.execute(named)} == metadata["tables"].keys()

    def test_its_queries_run(self, metadata: dict[str, Any], shop: Shop) -> None:
        shop.ok("sync-recent")
        with closing(sqlite3.connect(shop.state)) as sql:
            found = {name: sql.execute(q["sql"], {"sku": "MUG"}).fetchall() for name, q in metadata["queries"].items()}
        assert found["calls_per_day"][0][1:] == ("unleashed", "recent", 2)
        assert found["oldest_products"]


def test_one_reason_is_one_error_on_the_page_and_in_status_whatever_the_calls(shop: Shop) -> None:
    shop.extra = posting.SETTINGS | {"SYNCCTL_UNLEASHED_TAX": "0.15:WRONG"}
    shop.ok("sync-recent")
    posting.place(shop, *(posting.order(f"A{number}") for number in range(3)))
    assert shop.run("post-invoices").code == 65
    (error,) = shop.ok("report", str(shop.folder / "r.html"), "--json").only()["errors"]
    assert error["times"] == 3
    assert shop.ok("status").out.count("last error") == 1
    assert "A0 and 2 more: The service refuses it with 400" in shop.ok("status").out
