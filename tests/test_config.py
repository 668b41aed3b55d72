"""The settings: where they are read, what they mean, and what is said where they are wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncctl.connectors import connector_class, kinds
from syncctl.connectors.declared import Limit, Setting
from syncctl.connectors.unleashed import Unleashed
from syncctl.errors import ConfigError
from syncctl.settings import file as settings_file
from syncctl.settings.config import Config, common_settings, global_settings, load
from syncctl.settings.connector import parse_limits
from syncctl.settings.file import plain_lines, quoted_lines

KEY = "3xTr3m3ly-s3cret$HOME"
GOOD = {
    "SYNCCTL_SHOP": "demo",
    "SYNCCTL_CONNECTORS": "unleashed",
    "SYNCCTL_UNLEASHED_API_ID": "id-1",
    "SYNCCTL_UNLEASHED_API_KEY": KEY,
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, home and /etc, and no variables but those that a test gives."""
    for name in ("here", "home", "etc"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(settings_file, "ETC", str(tmp_path / "etc/.env"))
    return tmp_path / "here"


def environ(**more: str) -> dict[str, str]:
    return {"HOME": os.environ["HOME"], **GOOD, **{f"SYNCCTL_{name}": value for name, value in more.items()}}


def write(path: Path, **values: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"SYNCCTL_{name}={value}\n" for name, value in values.items()))
    path.chmod(0o600)
    return path


def problems(**more: str) -> tuple[str, ...]:
    """What stops the command."""
    with pytest.raises(ConfigError) as raised:
        load(environ=environ(**more))
    return raised.value.problems


def only_problem(**more: str) -> str:
    (problem,) = problems(**more)
    return problem


def connector_problem(**more: str) -> str:
    """The one thing that is wrong with the one connector."""
    (connector,) = load(environ=environ(**more)).connectors
    (problem,) = connector.problems
    return problem


# Defaults and places


def test_few_settings_are_enough(here: Path) -> None:
    config = load(environ=environ())
    (connector,) = config.connectors
    assert (config.shop, config.state, config.env_file) == ("demo", f"{here}/syncctl.db", None)
    assert (config.new_products, config.keep["bodies"], config.state_group) == ("insert", 7, "")
    assert (config.price_from, config.stock_from) == ("unleashed", "unleashed")
    assert (connector.name, connector.kind, connector.cls) == ("unleashed", "unleashed", Unleashed)
    assert connector.values.base_url == "https://api.unleashedsoftware.com"
    assert connector.values.settings["API_KEY"] == KEY
    assert connector.values.settings["PAGE_SIZE"] == "200"
    assert "WAREHOUSE" not in connector.values.settings
    assert connector.roles == {"products", "stock", "customers"}
    assert connector.limits == Unleashed.limits
    assert (config.warnings, connector.problems) == ((), ())


@pytest.fixture
def shops(tmp_path: Path) -> dict[str, Path]:
    """A `.env` in each of the three places and in one more, each of another shop."""
    xdg = tmp_path / "home" / ".config" / "syncctl" / ".env"
    places = {"here": tmp_path / "here/.env", "xdg": xdg, "etc": tmp_path / "etc/.env", "own": tmp_path / "own/my.env"}
    return {name: write(path, SHOP=name) for name, path in places.items()}


def load_without_shop(env_file: Path | None = None, **more: str) -> Config:
    variables = environ(**more)
    del variables["SYNCCTL_SHOP"]
    return load(env_file, variables)


def test_the_first_env_file_found_wins(shops: dict[str, Path]) -> None:
    for name in ("here", "xdg", "etc"):
        config = load_without_shop()
        assert (config.shop, config.env_file) == (name, str(shops[name]))
        shops[name].unlink()


def test_an_env_file_that_is_named_wins(shops: dict[str, Path]) -> None:
    assert load_without_shop(shops["own"]).shop == "own"


def test_the_state_follows_the_env_file(
    shops: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = {
        "here": f"{tmp_path}/here/syncctl.db",
        "xdg": f"{tmp_path}/home/.local/state/syncctl/state.db",
        "etc": "/var/lib/syncctl/state.db",
        "own": f"{tmp_path}/own/syncctl.db",
    }
    assert {name: load(path, environ()).state for name, path in shops.items()} == expected
    monkeypatch.chdir(tmp_path / "etc")
    assert load(environ=environ()).state == expected["etc"], "the working folder must not lead to a second state"


def test_xdg_folders_may_be_elsewhere_but_not_relative(tmp_path: Path) -> None:
    write(tmp_path / "conf/syncctl/.env", NEW_PRODUCTS="ignore")
    folders = {"XDG_CONFIG_HOME": str(tmp_path / "conf"), "XDG_STATE_HOME": str(tmp_path / "st")}
    config = load(environ=environ() | folders)
    assert (config.new_products, config.state) == ("ignore", f"{tmp_path}/st/syncctl/state.db")
    assert load(environ=environ() | {"XDG_CONFIG_HOME": "../conf"}).new_products == "insert"


def test_a_state_path_counts_from_where_it_was_written(here: Path, tmp_path: Path) -> None:
    own = write(tmp_path / "own/.env", STATE="./a.db")
    assert load(own, environ()).state == f"{tmp_path}/own/a.db"
    assert load(own, environ(STATE="b.db")).state == f"{here}/b.db"
    assert load(own, environ(STATE="~/c.db")).state == f"{tmp_path}/home/c.db"
    assert load(own, environ(STATE="/d.db")).state == "/d.db"


def test_a_state_that_is_a_folder_is_wrong(here: Path) -> None:
    assert only_problem(STATE=".") == f"SYNCCTL_STATE: {here} is a folder; name a file in it, as {here}/syncctl.db"
    assert "is a folder" in only_problem(STATE="new/")


def test_the_environment_wins_and_can_take_away(here: Path) -> None:
    write(here / ".env", KEEP_BODIES_DAYS="3", UNLEASHED_WAREHOUSE="W1", UNLEASHED_PRICE_TIER="4")
    config = load(environ=environ(KEEP_BODIES_DAYS="5", UNLEASHED_WAREHOUSE=" "))
    assert config.keep["bodies"] == 5
    assert config.connectors[0].values.settings.keys() & {"WAREHOUSE", "PRICE_TIER"} == {"PRICE_TIER"}


def test_a_folder_named_env_is_passed_over(here: Path) -> None:
    (here / ".env").mkdir()
    assert load(environ=environ()).env_file is None


def test_an_env_file_that_cannot_be_read_stops_everything(here: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^--env-file .*/none.env: there is no such file$"):
        load(tmp_path / "none.env", environ())
    with pytest.raises(ConfigError, match=r"^--env-file : there is no such file$"):
        load("", environ())  # as --env-file "$UNSET", which must not lead to another shop's settings
    (here / ".env").symlink_to(".env")
    assert only_problem().startswith(f"{here}/.env cannot be read: ")


def test_an_env_file_in_another_encoding_is_named(here: Path) -> None:
    (here / ".env").write_bytes("SYNCCTL_SHOP=café".encode("latin-1"))
    assert only_problem() == f"{here}/.env is not UTF-8 text"


# How a .env is written

ENV_LINES = ["A=1", "export B=x$y", "C=", "# c", "  # c", "D = 1", "E=a#b", " F=1", "G", "export", "export =1", "1=2"]


def test_quotes_comments_and_dollars(here: Path) -> None:
    text = "\ufeff# of the shop\r\nexport SYNCCTL_SHOP='demo' # here\nSYNCCTL_UNLEASHED_WAREHOUSE=\"Main Store\"\n"
    (here / ".env").write_text(f"{text}SYNCCTL_UNLEASHED_API_KEY=a$HOME${{SHOP}}#1\nOTHER\nSYNCCTL_STATE=x.db")
    variables = {name: value for name, value in environ().items() if not name.endswith(("SHOP", "KEY"))}
    config = load(environ=variables)
    assert (config.shop, config.state) == ("demo", f"{here}/x.db")
    assert config.connectors[0].values.settings["API_KEY"] == "a$HOME${SHOP}#1"
    assert config.connectors[0].values.settings["WAREHOUSE"] == "Main Store"


def test_broken_lines_are_all_told_without_what_they_hold(here: Path) -> None:
    (here / ".env").write_text(f'SYNCCTL_SHOP=demo\n\nSYNCCTL_STATE\n\nSYNCCTL_UNLEASHED_API_KEY="{KEY}\nA=1\n')
    form = "not of the form NAME=value"
    assert problems() == (f"{here}/.env, line 3: {form}", f"{here}/.env, line 5: {form}")


def test_a_variable_that_stands_twice_is_told(here: Path) -> None:
    (here / ".env").write_text("SYNCCTL_STATE=a.db\nSYNCCTL_STATE=b.db\nX=1\nX=2\n")
    (here / ".env").chmod(0o600)
    config = load(environ=environ())
    assert config.state == f"{here}/b.db"
    assert config.warnings == (
        f"SYNCCTL_STATE stands more than once in {here}/.env; the last one counts. Delete the others",
    )


@given(
    st.lists(st.text("Aé_09=#'\"\\$` \t\x0b\x0c\x1c\x85\xa0\u2028-", max_size=8) | st.sampled_from(ENV_LINES)).map(
        "\n".join
    )
)
def test_the_short_way_to_read_a_line_agrees_with_python_dotenv(text: str) -> None:
    plain = plain_lines(text)
    if plain is not None:
        assert plain == quoted_lines(text, ".env")


def test_plain_lines_need_no_python_dotenv(here: Path) -> None:
    write(here / ".env", **{name.removeprefix("SYNCCTL_"): value for name, value in GOOD.items()})
    outer = {name: value for name, value in os.environ.items() if not name.startswith("SYNCCTL_")}
    code = "import sys; from syncctl.settings.config import load; load(); print(*sys.modules)"
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=outer)
    assert {"dotenv", "difflib", "requests", "click"} & set(run.stdout.split()) == set()


@pytest.mark.parametrize(
    ("mode", "group", "remedy"),
    [
        (0o600, "", None),
        (0o400, "", None),
        (0o640, "", "chmod 600"),
        (0o604, "", "chmod 600"),
        (0o640, "shop", None),
        (0o644, "shop", "chmod 640"),
    ],
)
def test_an_env_file_that_others_can_read_gets_a_warning(here: Path, mode: int, group: str, remedy: str | None) -> None:
    write(here / ".env", STATE_GROUP=group).chmod(mode)
    warnings = load(environ=environ()).warnings
    assert [warning.endswith(f": {remedy} {here}/.env") for warning in warnings] == ([True] if remedy else [])


# Secrets


def test_a_secret_may_stand_in_a_file(here: Path, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own/key").write_text(f"\n{KEY}\n")
    own = write(tmp_path / "own/.env", UNLEASHED_API_KEY_FILE="key")
    config = load(own, environ(UNLEASHED_API_KEY=""))
    assert config.connectors[0].problems == ()
    assert config.connectors[0].values.settings["API_KEY"] == KEY
    assert config.secrets == {KEY}


def test_a_secret_file_that_is_of_no_use_is_told(here: Path) -> None:
    (here / "empty").write_text("\n")
    (here / "binary").write_bytes(b"\xff\xfe")
    variable = "SYNCCTL_UNLEASHED_API_KEY_FILE"
    for name, why in [("none", "cannot be read: No such file"), ("empty", "is empty"), ("binary", "is not UTF-8")]:
        found = connector_problem(UNLEASHED_API_KEY="", UNLEASHED_API_KEY_FILE=name)
        assert found.startswith(f"{variable}: {here}/{name} {why}")


def test_a_secret_given_twice_is_told_with_both_places(here: Path) -> None:
    write(here / ".env", UNLEASHED_API_KEY_FILE="key")
    assert connector_problem() == (
        "SYNCCTL_UNLEASHED_API_KEY and SYNCCTL_UNLEASHED_API_KEY_FILE are both set"
        f" (the environment and {here}/.env): take one away"
    )


def test_no_secret_is_ever_shown() -> None:
    broken = f"{KEY}\nx"
    config = load(environ=environ(UNLEASHED_API_KEY=broken))
    (problem,) = config.connectors[0].problems
    assert problem.startswith("SYNCCTL_UNLEASHED_API_KEY: the value does not fit")
    assert KEY not in repr(config)
    assert config.secrets == {broken}, "what is wrong is still a secret"
    assert KEY not in connector_problem(UNLEASHED_BASE_URL=f"https://user:{KEY}@host/")


# One connector


@pytest.mark.parametrize(
    ("name", "value", "form"),
    [
        ("PAGE_SIZE", "0", "does not fit; write 1-1000"),
        ("PRICE_TIER", "11", "does not fit; write 1-10"),
        ("BASE_URL", "api.example.com", "https://host/path"),
        ("BASE_URL", "ftp://api.example.com", "https://host/path"),
        ("BASE_URL", "https://api.example.com/?x=1", "https://host/path"),
        ("BASE_URL", "https://api.example.com:99999", "https://host/path"),
        ("LIMITS", "0/minute", "60/minute, 350/5 minutes, 5000/month"),
        ("LIMITS", "60/minute, 10/60s", "two limits for one window (60s)"),
    ],
)
def test_a_wrong_setting_of_a_connector_names_variable_value_and_form(name: str, value: str, form: str) -> None:
    problem = connector_problem(**{f"UNLEASHED_{name}": value})
    assert problem.startswith(f"SYNCCTL_UNLEASHED_{name}: ")
    assert f'"{value}"' in problem
    assert form in problem


SETTINGS = (
    *global_settings(),
    *common_settings(),
    *(each for kind in kinds() for each in connector_class(kind).settings),
)


@pytest.mark.parametrize("setting", [each for each in SETTINGS if each.pattern != ".+"], ids=lambda each: each.name)
def test_what_a_wrong_value_should_be_is_said_in_words_of_its_own(setting: Setting) -> None:
    assert setting.form != "one line of text"
    assert not set(setting.form) & set(";`"), "a sentence goes on behind it"


def test_a_missing_key_of_one_connector_leaves_the_other_alone() -> None:
    config = load(environ=environ(CONNECTORS="nz:unleashed, unleashed", NZ_API_ID="x", NZ_WAREHOUSE="W"))
    missing, whole = config.connectors
    assert missing.problems == ("SYNCCTL_NZ_API_KEY is not set: API key, from the same page",)
    assert missing.values.settings["WAREHOUSE"] == "W"
    assert (whole.problems, whole.values.settings["API_ID"]) == ((), "id-1")
    assert config.price_from == "nz", "a lost key must not change whose prices the shop shows"


@pytest.mark.parametrize(
    ("url", "kept", "warned"),
    [
        ("https://Api.Example.com/v1//", "https://api.example.com/v1", False),
        ("HTTPS://api.example.com:8443", "https://api.example.com:8443", False),
        ("http://127.0.0.1:8770/unleashed/", "http://127.0.0.1:8770/unleashed", False),
        ("http://[::1]:8770", "http://[::1]:8770", False),
        ("http://localhost", "http://localhost", False),
        ("http://shop.example", "http://shop.example", True),
        ("http://localhost.example", "http://localhost.example", True),
    ],
)
def test_addresses(url: str, kept: str, warned: bool) -> None:
    config = load(environ=environ(UNLEASHED_BASE_URL=url))
    assert config.connectors[0].values.base_url == kept
    assert [warning.startswith("SYNCCTL_UNLEASHED_BASE_URL: http ") for warning in config.warnings] == [True] * warned


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("60/minute, 5000/month", (Limit(60, 60), Limit(5000, "month"))),
        ("350/5 minutes", (Limit(350, 300),)),
        ("350/300s,1/s", (Limit(350, 300), Limit(1, 1))),
        ("5 / 2 Hours , 1000/day", (Limit(5, 7200), Limit(1000, "day"))),
        ("10/second,20/24h", (Limit(10, 1), Limit(20, 86_400))),
        ("7/1 month", (Limit(7, "month"),)),
    ],
)
def test_limits_replace_all_published_ones(text: str, limits: tuple[Limit, ...]) -> None:
    assert load(environ=environ(UNLEASHED_LIMITS=text)).connectors[0].limits == limits


@pytest.mark.parametrize(
    "text",
    [
        *("60", "60/fortnight", "-1/minute", "0/day", "6.5/minute", "60/minute,", "125,000/month", "\u0661/minute"),
        *("9999999999/day", "5/2 months", "5/0 minutes", "5/32 s/day", "1/999999999 h", "60 per minute", "5/m"),
    ],
)
def test_nonsense_is_no_limit(text: str) -> None:
    with pytest.raises(ValueError, match="is not a limit"):
        list(parse_limits(text))


# The shop as a whole


def test_all_wrong_settings_are_told_together(here: Path) -> None:
    write(here / ".env", SHOP="my shop", STATE_GROUP="a b", NEW_PRODUCTS="maybe", UNLEASHED_API_KEY="", SHOPP="x")
    with pytest.raises(ConfigError) as raised:
        load(environ={"SYNCCTL_CONNECTORS": "unleashed,zoho", "SYNCCTL_KEEP_BODIES_DAYS": "-1"})
    found = raised.value.problems
    assert [problem.split()[0].rstrip(":") for problem in found] == [
        "SYNCCTL_SHOP",
        "SYNCCTL_STATE_GROUP",
        "SYNCCTL_NEW_PRODUCTS",
        "SYNCCTL_KEEP_BODIES_DAYS",
        "SYNCCTL_CONNECTORS",
        "SYNCCTL_UNLEASHED_API_ID",
        "SYNCCTL_UNLEASHED_API_KEY",
        "SYNCCTL_SHOPP",
    ]
    assert found[-1].endswith("did you mean SYNCCTL_SHOP?")
    assert raised.value.remedy == f"Mend {here}/.env or the environment"


@pytest.mark.parametrize("zone", ["Mars/Base", "leapseconds", "Pacific"])
def test_a_time_zone_that_there_is_not_is_a_wrong_setting_without_posting_too(zone: str) -> None:
    found = problems(SHOP="my shop", TIMEZONE=zone)
    assert f"SYNCCTL_TIMEZONE: there is no time zone {zone}; write one as Pacific/Auckland" in found
    assert len(found) == 2


def test_without_any_setting_it_says_what_is_needed_and_where(here: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        load(environ={"HOME": str(tmp_path / "home")})
    assert [problem.split(":")[0] for problem in raised.value.problems] == [
        "SYNCCTL_SHOP is not set",
        "SYNCCTL_CONNECTORS is not set",
    ]
    assert f"{here}/.env, {tmp_path}/home/.config/syncctl/.env" in raised.value.remedy


@pytest.mark.parametrize("shop", ["a", "x" * 13, "köln", "a_b", "a.b"])
def test_names_of_shops(shop: str) -> None:
    assert only_problem(SHOP=shop).startswith(f'SYNCCTL_SHOP: "{shop}" ')


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Unleashed", '"Unleashed" is neither a service nor name:service'),
        ("1st:unleashed", "is neither a service nor"),
        ("unleashed:", "is neither a service nor"),
        ("zoho", 'there is no connector for "zoho"; there are unleashed'),
        ("base", "the name base is reserved"),
        ("x:base", 'there is no connector for "base"'),
        ("price:unleashed", "the name price is reserved; give the connector another one, as in my_price:unleashed"),
        ("unleashed,unleashed", "the name unleashed stands twice"),
        (",", "names no connector; the services are unleashed"),
        ("unleashed,unleashed_api:unleashed", "unleashed_api cannot be told from settings of unleashed"),
        ("a_limits:unleashed,a:unleashed", "a_limits cannot be told from settings of a, SYNCCTL_A_LIMITS"),
        ("a:unleashed,a_post_x:unleashed", "a_post_x cannot be told from settings of a"),
    ],
)
def test_names_of_connectors_that_are_refused(text: str, message: str) -> None:
    found = problems(CONNECTORS=text)
    assert found[0].startswith("SYNCCTL_CONNECTORS")
    assert message in found[0]


@pytest.mark.parametrize(
    "name",
    [
        *("shop", "connectors", "state", "stock", "new", "keep", "post", "retry", "smtp", "mail", "timezone", "ping"),
        *("freshness", "all", "env", "state_group", "price_from", "push", "tokens"),
    ],
)
def test_reserved_names(name: str) -> None:
    assert f"the name {name} is reserved" in problems(CONNECTORS=f"{name}:unleashed")[0]


def test_one_name_may_begin_with_another() -> None:
    config = load(
        environ=environ(
            CONNECTORS="unleashed , unleashed_nz : unleashed", UNLEASHED_NZ_API_ID="nz", UNLEASHED_NZ_API_KEY="k"
        )
    )
    assert [each.values.settings["API_ID"] for each in config.connectors] == ["id-1", "nz"]
    assert config.secrets == {KEY, "k"}
    assert config.warnings == ()


TWO = {"CONNECTORS": "a:unleashed,b:unleashed"}


def test_each_field_has_the_first_owner_with_the_role_or_the_one_named() -> None:
    def owners(**more: str) -> tuple[str | None, str | None]:
        config = load(environ=environ(**TWO, **more))
        return config.price_from, config.stock_from

    assert owners() == ("a", "a")
    assert owners(A_ROLES="stock, customers") == ("b", "a")
    assert owners(A_ROLES="customers", B_ROLES="stock") == (None, "b")
    assert owners(PRICE_FROM="b") == ("b", "a")
    assert owners(STOCK_FROM="b") == ("a", "b")


def test_an_owner_must_have_the_role() -> None:
    assert problems(**TWO, PRICE_FROM="c")[0] == (
        'SYNCCTL_PRICE_FROM: "c" is no connector with the role products; there are a, b'
    )
    assert "; there are a" in problems(**TWO, STOCK_FROM="b", B_ROLES="products")[0]
    assert "; there is none" in problems(**TWO, STOCK_FROM="b", A_ROLES="products", B_ROLES="products")[0]


def test_wrong_roles_stop_everything_for_they_would_move_the_ownership() -> None:
    found = problems(**TWO, A_ROLES="produts,stock")
    assert found[0] == ('SYNCCTL_A_ROLES: no such role: "produts"; the roles are products, stock, customers, invoices')
    assert problems(A_ROLES=",", **TWO)[0].startswith("SYNCCTL_A_ROLES: ")


def test_unknown_variables_are_named_with_a_hint(here: Path) -> None:
    write(here / ".env", UNLEASHED_APIKEY="x", OLD="1")
    variables = environ(CONNECTORS="nz:unleashed", NZ_API_ID="1", NZ_API_KEY="2", NZ_WAREHUOSE="3", XERO_TAX="4")
    variables |= {"_SYNCCTL_COMPLETE": "bash_source", "syncctl_x": "1", "SYNCCTL_EMPTY": ""}
    absent = "nothing to syncctl: SYNCCTL_CONNECTORS does not name"
    assert load(environ=variables).warnings == (
        "SYNCCTL_NZ_WAREHUOSE (the environment) means nothing to syncctl; did you mean SYNCCTL_NZ_WAREHOUSE?",
        f"SYNCCTL_OLD ({here}/.env) means nothing to syncctl",
        f"SYNCCTL_UNLEASHED_APIKEY ({here}/.env) and 2 more of unleashed mean {absent} unleashed",
        f"SYNCCTL_XERO_TAX (the environment) means {absent} xero",
    )


def test_every_setting_of_the_tables_is_read() -> None:
    values = {"BASE_URL": "https://x", "ROLES": "stock", "LIMITS": "1/s", "PRICE_TIER": "1", "CURRENCY": "NZD"}
    values |= {"STATUS": "Placed", "POST_SINCE": "2026-11-01", "TAX": "0:NONE"}
    own = {f"UNLEASHED_{each.name}": values.get(each.name, "7") for each in (*common_settings(), *Unleashed.settings)}
    whole = {each.name: each.default for each in global_settings() if each.default}
    config = load(environ=environ(**own, **whole, STATE="x.db", STATE_GROUP="g", STOCK_FROM="unleashed"))
    assert (config.warnings, config.connectors[0].problems) == ((), ())
    assert {each.name for each in global_settings()} == {
        "FRESHNESS",
        "PING_URL",
        *("SHOP", "CONNECTORS", "STATE", "STATE_GROUP", "PRICE_FROM", "STOCK_FROM", "NEW_PRODUCTS"),
        *("KEEP_BODIES_DAYS", "SMTP_URL", "SMTP_PASSWORD", "MAIL_TO", "MAIL_FROM", "MAIL_AFTER"),
        *("KEEP_JOURNAL_DAYS", "KEEP_CHANGES_DAYS", "TIMEZONE", "POST_STATUSES", "POST_TO_ALL", "READ_SOLD", "RETRY"),
    }


def test_a_key_file_that_others_can_read_gets_a_warning(here: Path) -> None:
    (here / "the.key").write_text(KEY)
    (here / "the.key").chmod(0o644)
    config = load(environ=environ(UNLEASHED_API_KEY="", UNLEASHED_API_KEY_FILE=str(here / "the.key")))
    assert [warning for warning in config.warnings if "the.key" in warning and "chmod 600" in warning]
