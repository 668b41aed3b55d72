"""Commands in what syncctl prints and mails act on the shop that they tell of, wherever they are typed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import posting
import pytest
from conftest import Shop
from postbox import Postbox, serving

from syncctl import cli
from syncctl.invocation import COMMANDS, typed

ODD = 'it\'s "odd" & <b>'


@pytest.fixture
def second(shop: Shop) -> Shop:
    """A shop whose settings lie where no command finds them by itself, with an order that is held."""
    file(shop).parent.mkdir()
    file(shop).touch(mode=0o600)
    shop.extra = posting.SETTINGS | {"SYNCCTL_UNLEASHED_TAX": "0:NONE"}
    shop.ok("sync-recent", *at(shop))
    posting.place(shop, posting.order("A0"))
    return shop


@pytest.fixture
def box() -> Iterator[Postbox]:
    with serving(Postbox()) as running:
        yield running


def file(shop: Shop) -> Path:
    return shop.folder / ODD / "second.env"


def at(shop: Shop) -> tuple[str, str]:
    return "--env-file", str(file(shop).relative_to(shop.folder))


def option(path: Path) -> str:
    return f" --env-file {shlex.quote(str(path))}"


def names(command: click.Command, name: str = "") -> Iterator[str]:
    """The whole names of the commands that take a settings file."""
    if isinstance(command, click.Group):
        for each in command.list_commands(click.Context(command)):
            found = command.get_command(click.Context(command), each)
            assert found is not None
            yield from names(found, f"{name} {each}".strip())
    elif any("--env-file" in parameter.opts for parameter in command.params):
        yield name


def test_every_command_that_takes_a_settings_file_is_known() -> None:
    assert sorted(COMMANDS) == sorted(names(cli.cli))


@pytest.mark.parametrize(
    "text",
    [
        "x is locked by `syncctl sync-recent` (pid 5)",
        "0 5 * * * /usr/bin/syncctl sync-recent",
        "syncctl explain, and",
        "syncctl is in cron's PATH",
        "syncctl plans",
    ],
)
def test_what_is_no_command_to_type_stays_as_it_was(text: str) -> None:
    assert typed(text, "/srv/.env") == text


def test_what_a_run_prints_names_the_settings_file_that_it_was_given(second: Shop) -> None:
    assert f"See syncctl queue list{option(file(second))}." in second.run("queue", "show", "99", *at(second)).err


def test_json_names_it_too_and_can_still_be_read(second: Shop) -> None:
    second.write("UPDATE orders SET placed_at = '2026-01-01T00:00:00Z'")
    settings = {"SYNCCTL_UNLEASHED_POST_SINCE": "2025-01-01"}
    (error,) = second.run("post-invoices", "--json", *at(second), **settings).only()["errors"]
    assert f"syncctl post-invoices{option(file(second))} --yes-all" in error["remedy"]


def test_what_is_found_without_being_named_is_not_named(shop: Shop) -> None:
    shop.ok("sync-recent")
    assert "See syncctl queue list." in shop.run("queue", "show", "99").err


def test_a_mail_names_a_file_that_only_this_folder_has(shop: Shop, box: Postbox) -> None:
    shop.run("sync-recent", SYNCCTL_UNLEASHED_API_KEY="wrong", **box.env())
    text = box.only().get_content()
    named = option(shop.folder / ".env")
    assert f"To try now: syncctl sync-recent{named} --connector unleashed" in text
    assert f"How things stand: syncctl status{named}" in text


def test_the_page_names_it_where_others_read_it(second: Shop) -> None:
    from html import escape

    second.run("post-invoices", *at(second))
    second.write("UPDATE outbox SET state = 'gave_up'")
    page = second.folder / "page.html"
    second.ok("report", str(page), *at(second))
    assert f"look at syncctl queue list{escape(option(file(second)))}" in page.read_text()


def test_the_next_steps_of_init_name_the_file_that_was_written(shop: Shop) -> None:
    target = shop.folder / "other.env"
    answers = ("--no-input", "--shop", "demo", "--services", "unleashed")
    steps = shop.run("init", *answers, "--env-file", str(target), "--json").json()["next"]
    assert f"syncctl doctor{option(target)}" in steps
    assert all(each.count(option(target)) == 1 for each in steps)
