"""What can be set for Xero, and what a person has to consent to."""

from __future__ import annotations

from collections.abc import Iterator

from syncctl.connectors.declared import POSTING, Consent, Setting, SignIn, Values

CODE_MINUTES = 5
SIGN_INS = (
    SignIn("a custom connection", ("CLIENT_ID", "CLIENT_SECRET"), {"APP": "custom"}),
    SignIn("a web app, which a person consents to", ("CLIENT_ID", "CLIENT_SECRET"), {"APP": "web"}, consent=True),
    SignIn("a mobile or desktop app (PKCE), which a person consents to", ("CLIENT_ID",), {"APP": "pkce"}, consent=True),
)
APP = Setting(
    "APP",
    "kind of the app: `custom` (a custom connection), or `web` or `pkce` (a mobile or desktop app), which a person"
    " consents to with `syncctl auth`; by default custom, with a REFRESH_TOKEN web",
    pattern="custom|web|pkce",
    form="custom, web or pkce",
)
_ACCOUNT = r"[^,:\s]{1,10}"
_CODE = "the code of an account, as 200"
POSTING_SETTINGS = (
    *POSTING,
    Setting(
        "STATUS",
        "what a posted invoice is: AUTHORISED, SUBMITTED or DRAFT",
        "AUTHORISED",
        pattern="AUTHORISED|SUBMITTED|DRAFT",
        form="AUTHORISED, SUBMITTED or DRAFT",
    ),
    Setting(
        "ACCOUNT",
        "account of what is sold; without it each item's own",
        pattern=_ACCOUNT,
        form=_CODE,
    ),
    Setting("SHIPPING", "account of shipping; without it ACCOUNT", pattern=_ACCOUNT, form=_CODE),
    Setting("DISCOUNT", "account of discounts; without it ACCOUNT", pattern=_ACCOUNT, form=_CODE),
    Setting("FEE", "account of fees; without it ACCOUNT", pattern=_ACCOUNT, form=_CODE),
    Setting(
        "ROUNDING",
        "account for differences of up to 0.02; without it such an order is held",
        pattern=_ACCOUNT,
        form=_CODE,
    ),
    Setting(
        "PAYMENTS",
        "account that each method of payment is paid to, as `card:090,paypal:091`; without it no payments are posted",
        pattern=f"[^,:]+:{_ACCOUNT}(, ?[^,:]+:{_ACCOUNT})*",
        form="an account for each method, as card:090,paypal:091",
    ),
    Setting(
        "CONTACT",
        "`as-entered`: a customer's newest order updates e-mail address, first and last name, phone and addresses of"
        " the linked contact; `link-only`: contacts that are there are never written to",
        "as-entered",
        pattern="as-entered|link-only",
        form="as-entered or link-only",
    ),
)


def app_of(values: Values) -> str:
    """The kind of app: `custom`, `web` or `pkce`."""
    return values.get("APP") or ("web" if values.get("REFRESH_TOKEN") else "custom")


def wrong_app(values: Values) -> Iterator[str]:
    """Sentences, each with the variable and the remedy."""
    app, secret, first = app_of(values), values.variable("CLIENT_SECRET"), values.variable("REFRESH_TOKEN")
    if app != "pkce" and not values.get("CLIENT_SECRET"):
        yield f"{secret} is not set: client secret, from the page of the app"
    if app == "pkce" and values.get("CLIENT_SECRET"):
        yield f"{secret} is set, but a mobile or desktop app has none: unset it, or {values.variable('APP')}"
    if app == "custom" and values.get("REFRESH_TOKEN"):
        yield f"{first} is set, but a custom connection has none: unset it, or set {values.variable('APP')}=web"


def consent(values: Values, roles: frozenset[str]) -> Consent | str:
    """The granular scopes, the only ones of newer apps. Items are opened by those of the settings, too."""
    if app_of(values) == "custom":
        return (
            f"{values.variable('APP')} is custom, and a custom connection needs its id and secret alone; for an app"
            " that a person consents to, set it to web or pkce"
        )
    scopes = ["offline_access", "accounting.settings.read"]
    if "invoices" in roles:
        scopes += ["accounting.contacts", "accounting.invoices"]
        scopes += ["accounting.payments"] if values.get("PAYMENTS") else []
    elif "customers" in roles:
        scopes.append("accounting.contacts.read")
    return Consent(
        url=values.settings["CONSENT_URL"],
        scopes=tuple(scopes),
        asks={"client_id": values.settings["CLIENT_ID"]},
        minutes=CODE_MINUTES,
        app="developer.xero.com/app/manage",
        pkce=app_of(values) == "pkce",
    )
