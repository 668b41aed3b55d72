"""What can be set for Vend, and what is wrong with it taken together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from syncctl.connectors._vend_records import TAXES
from syncctl.connectors.declared import POSTING, Consent, Setting, SignIn, Values

OLDEST_VERSION = "2026-04"  # where the inventory is read by POST, and sales are created by POST alone
_UUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_PRODUCT = "the id of a product"
_RATE = r"0?\.?\d+"
_OAUTH = ("CLIENT_ID", "CLIENT_SECRET")
CODE_MINUTES = 10
# What a posted order can become: its state and attributes (docs: sales_states_and_attributes). The others are for what
# happens to a sale later, or in the store.
STATES: dict[str, tuple[str, tuple[str, ...]]] = {
    "CLOSED": ("closed", ()),
    "SAVED": ("parked", ()),
    "ONACCOUNT": ("pending", ("onaccount",)),
    "AWAITING_DISPATCH": ("pending", ("delivery",)),
}
CHARGES = {"shipping": "SHIPPING", "discount": "DISCOUNT", "fee": "FEE"}  # the settings of lines that are no products

_READING = (
    Setting(
        "DOMAIN_PREFIX",
        "the store's name in its address, <name>.retail.lightspeed.app",
        required=True,
        pattern="[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?",
        form="the part of the address before .retail.lightspeed.app, as myshop",
    ),
    Setting("TOKEN", "personal token (Setup > Personal tokens, Plus plan); or the settings of OAuth", secret=True),
    Setting("CLIENT_ID", "OAuth: id of your application, instead of a personal token"),
    Setting("CLIENT_SECRET", "OAuth: secret of your application", secret=True),
    Setting("REFRESH_TOKEN", "OAuth: a refresh token to begin with, instead of `syncctl auth`", secret=True),
    Setting(
        "CONSENT_URL",
        "OAuth: where a person consents",
        "https://secure.retail.lightspeed.app/connect",
        pattern=r"https?://\S+",
        form="an address, as https://…",
    ),
    Setting(
        "API_VERSION",
        "date version of the API, YYYY-MM with the month of a quarter",
        "2026-07",
        pattern="20[0-9]{2}-(01|04|07|10)",
        form="a year and a quarter's first month, as 2026-07",
    ),
    Setting(
        "OUTLETS",
        "ids of the outlets that the shop sells from, comma separated (doctor lists them); without it all",
        pattern=f"{_UUID}( ?, ?{_UUID})*",
        form="ids, comma separated",
    ),
    Setting(
        "REGISTERS",
        "number of registers, on which the call limit depends",
        "1",
        pattern="[1-9][0-9]{0,3}",
        form="a number, 1-9999",
    ),
    Setting(
        "PRICE_TIER",
        "which price is taken: including_tax, excluding_tax",
        TAXES[0],
        pattern="|".join(TAXES),
        form="including_tax or excluding_tax",
    ),
    Setting(
        "CURRENCY",
        "currency of the prices (ISO 4217); the product list does not tell it",
        pattern="[A-Z]{3}",
        asked=True,
        form="three capital letters, as NZD",
    ),
    Setting(
        "PAGE_SIZE", "rows a page, 1-1000; without it 200, of stock 5000", pattern=r"[1-9]\d{0,2}|1000", form="1-1000"
    ),
)
_SELLING = (
    *(each for each in POSTING if each.name == "POST_SINCE"),
    Setting(
        "REGISTER",
        "id of the register that orders are posted to (doctor lists them)",
        pattern=_UUID,
        form="an id, as doctor lists them",
    ),
    Setting(
        "USER",
        "id of the user whose sales they are (doctor lists them)",
        pattern=_UUID,
        form="an id, as doctor lists them",
    ),
    Setting(
        "TAX",
        "id of the tax for each rate in the shop's orders (doctor lists them), as `0.15:ID,0:ID`",
        pattern=f"{_RATE}:{_UUID}(, ?{_RATE}:{_UUID})*",
        form="an id for each rate, as 0.15:ID,0:ID",
    ),
    Setting(
        "PAYMENTS",
        "id of the payment type for each payment method of the shop (doctor lists them), as `card:ID,bank:ID`",
        pattern=f"[^,:]+:{_UUID}(, ?[^,:]+:{_UUID})*",
        form="an id for each method, as card:ID,bank:ID",
    ),
    Setting(
        "STATUS",
        f"what a posted order becomes: {', '.join(STATES)}",
        "CLOSED",
        pattern="[A-Z_]+",
        form="one of CLOSED, SAVED, ONACCOUNT and AWAITING_DISPATCH",
    ),
    Setting(
        "SHIPPING",
        "id of the product that stands for shipping; without it such an order is held",
        pattern=_UUID,
        form=_PRODUCT,
    ),
    Setting(
        "DISCOUNT",
        "the same for discounts; doctor tells the store's own discount product",
        pattern=_UUID,
        form=_PRODUCT,
    ),
    Setting("FEE", "the same for fees", pattern=_UUID, form=_PRODUCT),
    Setting("ROUNDING", "the same for differences of up to 0.02", pattern=_UUID, form=_PRODUCT),
)
SETTINGS = (*_READING, *_SELLING)
SIGN_INS = (
    SignIn("a personal token (Plus plan)", ("DOMAIN_PREFIX", "TOKEN")),
    SignIn("an OAuth application, which a person consents to", ("DOMAIN_PREFIX", *_OAUTH), consent=True),
)


def consent(values: Values, scopes: Iterable[str]) -> Consent | str:
    """Without a scope a consent is declined since 2026-06-01. Which store it is for is chosen on the page."""
    if values.get("TOKEN"):
        return f"{values.variable('TOKEN')} is a personal token, which is all that it needs"
    return Consent(
        url=values.settings["CONSENT_URL"],
        scopes=tuple(sorted(scopes)),
        asks={"client_id": values.settings["CLIENT_ID"]},
        minutes=CODE_MINUTES,
        app="developers.retail.lightspeed.app",
        same={"domain_prefix": "DOMAIN_PREFIX"},
    )


def wrong(values: Values) -> Iterable[str]:
    """Sentences, each with the variable and the remedy."""
    yield from _wrong_credentials(values)
    version, status = values.get("API_VERSION"), values.get("STATUS") or "CLOSED"
    if version < OLDEST_VERSION:
        yield (
            f"{values.variable('API_VERSION')}: {version} lists stock in another form than later versions;"
            f" set {OLDEST_VERSION} or later"
        )
    if status not in STATES:
        yield f"{values.variable('STATUS')}: no order is posted as {status}; set one of {', '.join(STATES)}"


def _wrong_credentials(values: Values) -> Iterator[str]:
    token = values.variable("TOKEN")
    have = [values.variable(name) for name in (*_OAUTH, "REFRESH_TOKEN") if values.get(name)]
    lack = [values.variable(name) for name in _OAUTH if not values.get(name)]
    if values.get("TOKEN") and have:
        yield f"{token} and {have[0]} are both set: keep either the personal token or the settings of OAuth"
    elif not values.get("TOKEN") and not have:
        yield f"{token} is not set: set it to a personal token, or {', '.join(lack)} for OAuth"
    elif not values.get("TOKEN") and lack:
        yield f"{' and '.join(lack)} {'is' if len(lack) == 1 else 'are'} not set: OAuth needs both id and secret"
