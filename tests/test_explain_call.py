"""`syncctl explain call`: what went over the wire, and a line of shell that really does it again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Shop, Upstream
from seeded import seeded

pytestmark = pytest.mark.products(10)
SERVICES = {"unleashed": "Items", "vend": "data", "xero": "Items"}  # and what an answer of it has
needs_curl = pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="needs curl and openssl")


@pytest.fixture
def everywhere(tmp_path: Path) -> Iterator[Shop]:
    """A shop with all three services, read twice: what a first read brings is not kept."""
    (tmp_path / ".env").touch(mode=0o600)
    with seeded(products=10) as sandbox:
        shop = Shop(tmp_path, sandbox.env() | {"SYNCCTL_XERO_ROLES": "products,stock"}, Upstream(sandbox.url))
        shop.run("sync-recent")
        shop.run("sync-recent")
        yield shop


def story(shop: Shop, call: int) -> dict[str, Any]:
    told = shop.ok("explain", "call", str(call), "--json").json()
    assert (told["schema_version"], told["command"], told["call"]) == (1, "explain call", call)
    return told


def last(shop: Shop, where: str = "1") -> int:
    found: int = shop.value(f"SELECT max(id) FROM calls WHERE {where}")
    return found


def test_a_call_is_told_with_its_run_and_its_place_in_the_windows(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.upstream.put("products", {"ProductCode": "MUG", "DefaultSellPrice": 77.5})
    shop.ok("sync-recent")
    told = story(shop, 3)
    assert (told["run"]["run"], told["run"]["command"], told["run"]["exit_code"]) == (2, "sync-recent", 0)
    assert (told["connector"], told["purpose"], told["status"], told["changes"]) == ("unleashed", "recent", 200, 1)
    assert [(w["window"], w["position"], w["limit"]) for w in told["windows"]] == [
        ("60s", 3, 100_000), ("month", 3, 125_000),
    ]  # fmt: skip
    assert json.loads(told["response"])["Items"][0]["DefaultSellPrice"] == 77.5
    text = shop.ok("explain", "call", "3").out
    assert '      "DefaultSellPrice": 77.5,' in text, "indented"
    assert "run           2 (sync-recent)" in text


def test_the_place_in_a_month_counts_the_days_before(shop: Shop) -> None:
    shop.ok("sync-recent")
    day = shop.value("SELECT at / 86400000 FROM calls WHERE id = 1") - 1
    shop.write("INSERT INTO call_counts VALUES ('unleashed', ?1, 'oldest', 7), ('unleashed', ?1, 'auth', 9)", day)
    sql = "SELECT strftime('%m', ?1 * 86400, 'unixepoch') = strftime('%m', (?1 + 1) * 86400, 'unixepoch')"
    same_month = shop.value(sql, day)
    assert story(shop, 2)["windows"][1]["position"] == 2 + 7 * same_month


@needs_curl
@pytest.mark.parametrize("service", SERVICES)
def test_the_line_of_shell_does_it_again(everywhere: Shop, service: str) -> None:
    told = story(everywhere, last(everywhere, f"connector = '{service}' AND method = 'GET'"))
    tokens = everywhere.folder / "syncctl.db.tokens"
    kept = json.loads(tokens.read_text()) if tokens.exists() else {}
    env = {"PATH": os.environ["PATH"], "TOKEN": kept.get(service, {}).get("access", "")} | everywhere.env
    done = subprocess.run(["bash", "-euc", told["curl"]], env=env, capture_output=True, text=True, check=True)
    assert SERVICES[service] in json.loads(done.stdout), done


@needs_curl
def test_what_is_signed_is_the_decoded_query(shop: Shop) -> None:
    shop.run("sync-product", "TWO WORDS")
    told = story(shop, last(shop, "path LIKE '%20WORDS%'"))
    shell = ["bash", "-euc", told["curl"]]
    done = subprocess.run(shell, env=os.environ | shop.env, capture_output=True, check=True)
    assert "Items" in json.loads(done.stdout), done


@pytest.mark.parametrize("service", SERVICES)
def test_no_secret_is_shown(everywhere: Shop, service: str) -> None:
    number = last(everywhere, f"connector = '{service}' AND purpose <> 'auth'")
    shown = everywhere.ok("explain", "call", str(number)).out + json.dumps(story(everywhere, number))
    tokens = json.loads((everywhere.folder / "syncctl.db.tokens").read_text())
    names = ("API_KEY", "_TOKEN", "SECRET")
    secrets = [value for name, value in everywhere.env.items() if name.endswith(names)]
    secrets += [entry["access"] for entry in tokens.values()]
    assert len(secrets) > 3
    assert not [secret for secret in secrets if secret in shown]


@needs_curl
def test_what_was_posted_is_shown(everywhere: Shop) -> None:
    told = story(everywhere, last(everywhere, "method = 'POST' AND connector = 'vend'"))
    assert "after" in json.loads(told["request"])
    shell = ["bash", "-euc", told["curl"]]
    done = subprocess.run(shell, env=os.environ | everywhere.env, capture_output=True, check=True)
    assert json.loads(done.stdout) == [], "nothing more has changed since"
    assert "# It may write once more" not in told["curl"], "it only asked"
    everywhere.write("UPDATE calls SET purpose = 'invoice'")
    assert "# It may write once more" in story(everywhere, told["call"])["curl"]


def test_a_request_for_a_token_is_neither_shown_nor_repeated(everywhere: Shop) -> None:
    told = story(everywhere, last(everywhere, "purpose = 'auth'"))
    assert (told["request"], told["response"], told["curl"], told["windows"]) == (None, None, None, [])
    assert told["response_missing"] == "not kept, as tokens are in it"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("at = at - 8 * 86400000", "no longer kept (SYNCCTL_KEEP_BODIES_DAYS is 7)"),
        ("bytes = 300000", "not kept, as it is longer than 256 kB"),
        ("status = NULL", "none came so far, or the run was cut off"),
        ("status = NULL, error = 'no network'", "none came"),
        ("run = 1", "not kept, as with all pages of a full read"),
    ],
)
def test_it_says_why_there_is_no_answer(shop: Shop, change: str, words: str) -> None:
    shop.ok("sync-recent")
    shop.write(f"UPDATE calls SET {change}")
    assert f"Answer: {words}." in shop.ok("explain", "call", "1").out


def test_a_long_answer_is_cut_and_whole_in_json(shop: Shop) -> None:
    shop.ok("sync-recent")
    guids = [guid for (guid,) in shop.rows("SELECT remote_id FROM remote_products")]
    shop.upstream.put("products", *({"Guid": guid, "DefaultSellPrice": 5} for guid in guids))
    shop.ok("sync-recent")
    text = shop.ok("explain", "call", "3").out
    assert "… cut; all of its" in text
    assert len(text.splitlines()) < 100
    assert len(json.loads(story(shop, 3)["response"])["Items"]) == 10


def test_a_call_that_is_not_there_is_told(shop: Shop) -> None:
    shop.ok("sync-recent")
    result = shop.run("explain", "call", "99")
    assert result.code == 65
    assert "syncctl: 99: The journal has no call of this number." in result.err


def test_a_call_of_a_connector_that_is_set_no_more_is_told_without_curl(shop: Shop) -> None:
    shop.ok("sync-recent")
    shop.write("UPDATE calls SET connector = 'old'")
    told = story(shop, 1)
    assert (told["connector"], told["curl"], told["windows"]) == ("old", None, [])
