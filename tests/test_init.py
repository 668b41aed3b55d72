"""`syncctl init`: the `.env` that it writes is read as it was meant, and holds every setting there is."""

from __future__ import annotations

import os
import pty
import select
import stat
import sys
from pathlib import Path

import pytest
from conftest import Result, Shop, Upstream
from hypothesis import given
from hypothesis import strategies as st
from seeded import seeded

from syncctl.connectors import connector_class, kinds
from syncctl.errors import ConfigError
from syncctl.settings import file as settings_file
from syncctl.settings.config import global_settings, load
from syncctl.settings.env_text import settings_of, written

KEY = 'it\'s a "key" #1 $HOME \\n `x`'
ID = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A folder without settings."""
    return Shop(tmp_path, {}, Upstream("http://127.0.0.1:1"))


def init(shop: Shop, *options: str, **environ: str) -> Result:
    settings = {f"--set={name}={value}" for name, value in {"SYNCCTL_STATE": str(shop.state)}.items()}
    usual = ["--shop", "myshop", "--services", "unleashed"]
    return shop.run("init", "--no-input", *usual, *settings, *options, **environ)


@given(st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" "), min_size=1).map(str.strip))
def test_any_value_is_read_as_it_was_written(value: str) -> None:
    try:
        line = f"SYNCCTL_SHOP={written('SYNCCTL_SHOP', value)}\n"
    except ConfigError:
        assert value.endswith("\\") or "\\" in value, "only backslashes among quotes have no form"
        return
    found = settings_file.plain_lines(line) or settings_file.quoted_lines(line, "")
    assert found == [("SYNCCTL_SHOP", value)]


def test_the_file_is_read_as_it_was_meant(shop: Shop) -> None:
    result = init(shop, f"--set=SYNCCTL_UNLEASHED_API_ID={ID}", SYNCCTL_UNLEASHED_API_KEY=KEY)
    assert (result.code, result.err) == (0, "")
    config = load(shop.folder / ".env", {})
    (connector,) = config.connectors
    assert (config.shop, config.warnings, connector.problems) == ("myshop", (), ())
    assert (connector.values.get("API_ID"), connector.values.get("API_KEY")) == (ID, KEY)
    assert KEY not in result.out
    assert shop.rows("SELECT * FROM runs") == []


def test_the_file_is_its_owners_alone_whatever_the_umask(shop: Shop) -> None:
    before = os.umask(0)
    try:
        init(shop)
    finally:
        os.umask(before)
    assert stat.S_IMODE((shop.folder / ".env").stat().st_mode) == 0o600


def test_every_setting_stands_there_with_its_meaning(shop: Shop) -> None:
    init(shop, "--services", "unleashed,nz:vend,xero")
    text = (shop.folder / ".env").read_text()
    words = " ".join(line.removeprefix("# ") for line in text.splitlines() if line.startswith("# "))
    prefixes = {"SYNCCTL_UNLEASHED_": "unleashed", "SYNCCTL_NZ_": "vend", "SYNCCTL_XERO_": "xero"}
    wanted = [("SYNCCTL_", global_settings()), *((prefix, settings_of(kind)) for prefix, kind in prefixes.items())]
    for prefix, settings in wanted:
        for setting in settings:
            assert f"{prefix}{setting.name}=" in text
            assert " ".join(setting.help.split()) in words
    assert max(len(line) for line in text.splitlines() if line.startswith("# ")) <= 80


def test_what_was_left_out_is_to_be_filled_in(shop: Shop) -> None:
    result = init(shop)
    assert "SYNCCTL_UNLEASHED_API_KEY: API key" in result.out
    assert "SYNCCTL_UNLEASHED_API_KEY=\n" in (shop.folder / ".env").read_text()
    (shop.folder / ".env").unlink()
    assert any("API_KEY" in each for each in init(shop, "--json").json()["to_fill_in"])


def test_beside_another_shops_state_nothing_is_left_behind(shop: Shop) -> None:
    init(shop)
    other = shop.folder / "other.env"
    result = init(shop, "--shop", "another", "--env-file", str(other))
    assert (result.code, other.exists()) == (78, False)


def test_an_existing_file_is_not_overwritten(shop: Shop) -> None:
    file = shop.folder / ".env"
    for target in (os.devnull, "nowhere"):
        file.symlink_to(target)
        result = init(shop)
        assert (result.code, ".env is there already" in result.err) == (78, True)
        file.unlink()
    assert not shop.state.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "--shop and --services are missing"),
        (["--shop", "myshop"], "--services is missing"),
        (["--shop", "my shop", "--services", "vend"], "SYNCCTL_SHOP: the value does not fit"),
        (["--shop", "myshop", "--services", "moon"], 'no connector for "moon"'),
        (["--shop", "myshop", "--services", "vend", "--set", "SYNCCTL_VEND_ROLES=invoices"], "--timezone is missing"),
        (["--shop", "myshop", "--services", "vend", "--set", "SYNCCTL_VEND_ROLE=stock"], "SYNCCTL_VEND_ROLES?"),
        (["--shop", "myshop", "--services", "vend", "--set", "SYNCCTL_VEND_TOKEN=s3cret"], "_TOKEN_FILE"),
        (["--shop", "myshop", "--services", "vend", "--set", "SYNCCTL_VEND_REGISTERS=no"], "write a number, 1-9999"),
        (["--system", "--env-file", "x"], "--system and --env-file"),
    ],
)
def test_wrong_options_are_told_and_nothing_is_written(shop: Shop, options: list[str], words: str) -> None:
    result = shop.run("init", *options)
    assert result.code == 2
    assert words in result.err
    assert "s3cret" not in result.err
    assert list(shop.folder.iterdir()) == []


def test_a_time_zone_that_is_none_is_refused(shop: Shop) -> None:
    result = init(shop, "--timezone", "Mars/Base")
    assert (result.code, "there is no time zone Mars/Base" in result.err) == (2, True)


def test_a_secret_may_stand_in_a_file_of_its_own(shop: Shop) -> None:
    (shop.folder / "key").write_text(KEY)
    (shop.folder / "key").chmod(0o600)
    init(shop, f"--set=SYNCCTL_UNLEASHED_API_ID={ID}", "--set=SYNCCTL_UNLEASHED_API_KEY_FILE=key")
    (connector,) = load(shop.folder / ".env", {}).connectors
    assert connector.values.get("API_KEY") == KEY


def test_the_machines_settings_stand_in_etc(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    etc, var = shop.folder / "etc", shop.folder / "var"
    monkeypatch.setattr(settings_file, "ETC", str(etc / ".env"))
    monkeypatch.setattr(settings_file, "ETC_STATE", str(var / "state.db"))
    arguments = ("init", "--system", "--no-input", "--shop", "myshop", "--services", "unleashed")
    assert f"install -d -o syncctl -g syncctl -m 2750 {etc}" in shop.run(*arguments).err
    etc.mkdir()
    var.mkdir()
    assert shop.run(*arguments, SYNCCTL_STATE="").code == 0
    assert (etc / ".env").exists()
    assert (var / "state.db").exists()


@pytest.mark.parametrize(
    ("more", "consents"),
    [({}, False), ({"CLIENT_ID": "id"}, True), ({"TOKEN_FILE": "t"}, False)],
)
def test_the_way_to_sign_in_follows_from_what_is_given(shop: Shop, more: dict[str, str], consents: bool) -> None:
    told = [f"--set=SYNCCTL_VEND_{name}={value}" for name, value in more.items()]
    result = init(shop, "--services", "vend", *told)
    assert result.code == 0
    assert ("syncctl auth vend" in result.out) == consents


@pytest.mark.parametrize("kind", kinds())
def test_a_way_to_sign_in_names_settings_that_there_are(kind: str) -> None:
    cls = connector_class(kind)
    known = {setting.name for setting in cls.settings}
    for way in cls.sign_ins:
        assert {*way.settings, *way.fixed} <= known
    assert {setting.name for setting in cls.settings if setting.required} <= set(cls.sign_ins[0].settings)


def test_what_it_writes_works(tmp_path: Path) -> None:
    with seeded("vend", products=5) as running:
        env = running.env()
        shop = Shop(tmp_path, {}, Upstream(running.url, "vend"))
        told = {name: env[f"SYNCCTL_VEND_{name}"] for name in ("BASE_URL", "DOMAIN_PREFIX", "CURRENCY", "REGISTERS")}
        options = [f"--set=SYNCCTL_VEND_{name}={value}" for name, value in told.items()]
        assert init(shop, "--services", "vend", *options, SYNCCTL_VEND_TOKEN=env["SYNCCTL_VEND_TOKEN"]).code == 0
        assert shop.run("doctor").code == 0
        shop.ok("sync-recent")


def steps(shop: Shop, services: str, roles: str) -> list[str]:
    """The commands that come next, without `syncctl`."""
    prefix = f"SYNCCTL_{services.upper()}"
    told = [f"--set={prefix}_ROLES={roles}", "--timezone", "Pacific/Auckland"]
    found: list[str] = init(shop, "--json", "--services", services, *told).json()["next"]
    return [each.removeprefix("syncctl ") for each in found]


@pytest.mark.parametrize("service", kinds())
def test_what_comes_next_is_what_the_roles_need(shop: Shop, service: str) -> None:
    reads, customers = ["sync-recent --dry-run", "sync-recent -v"], ["sync-customers -v"]
    begin, end = ["doctor"], ["plan --crontab"]
    for roles, middle in [
        ("products", reads),
        ("customers", customers),
        ("stock, customers", reads + customers),
        ("products,invoices", [*reads, "post-invoices --dry-run"]),
    ]:
        assert steps(shop, service, roles) == begin + middle + end
        (shop.folder / ".env").unlink()


# In a terminal


def dialogue(folder: Path, *answers: str) -> tuple[int, str]:
    """Answers each prompt of `syncctl init` in a terminal; the exit code and what was to be seen."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("SYNCCTL_", "XDG_"))}
        os.execve(sys.executable, [sys.executable, "-m", "syncctl", "init"], clean)
    seen, left = "", list(answers)
    while select.select([terminal], [], [], 20)[0]:
        try:
            seen += os.read(terminal, 65_536).decode()
        except OSError:  # it has ended
            break
        if left and seen.rstrip(" ").endswith(":"):
            seen += "\n"
            os.write(terminal, f"{left.pop(0)}\n".encode())
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.close(terminal)
    return code, seen


@pytest.mark.parametrize("end", ["\x03", "\x04"])
def test_who_interrupts_is_told_that_nothing_was_written(tmp_path: Path, end: str) -> None:
    code, seen = dialogue(tmp_path, "myshop", "unleashed", "", end)
    assert code == 130
    assert seen.splitlines()[-1] == "syncctl: Interrupted; no settings were written. Run syncctl init again."
    assert list(tmp_path.iterdir()) == []


def test_in_a_terminal_it_asks_and_shows_no_secret(tmp_path: Path) -> None:
    code, seen = dialogue(
        tmp_path,
        "x",
        "myshop",
        "vend,xero",
        "",
        "9",
        "2",
        "store",
        "client",
        "s3cret",
        "NZD",
        "moon",
        "stock",
        "1",
        "",
        "",
        "nz",
        "",
    )
    assert code == 0, seen
    assert "s3cret" not in seen
    assert "no such role: moon" in seen
    assert "syncctl auth vend" in seen
    vend, xero = load(tmp_path / ".env", {}).connectors
    assert vend.values.get("CLIENT_SECRET") == "s3cret"
    assert vend.values.get("CURRENCY") == "NZD"
    assert xero.roles == {"stock"}
    assert not xero.values.get("CURRENCY")
