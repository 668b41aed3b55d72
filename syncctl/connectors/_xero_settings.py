"""The settings of posting to Xero."""

from __future__ import annotations

from syncctl.connectors.declared import POSTING, Setting

_ACCOUNT = r"[^,:\s]{1,10}"
POSTING_SETTINGS = (
    *POSTING,
    Setting(
        "STATUS",
        "what a posted invoice is: AUTHORISED, SUBMITTED or DRAFT",
        "AUTHORISED",
        pattern="AUTHORISED|SUBMITTED|DRAFT",
    ),
    Setting("ACCOUNT", "account of what is sold; without it each item's own", pattern=_ACCOUNT),
    Setting("SHIPPING", "account of shipping; without it ACCOUNT", pattern=_ACCOUNT),
    Setting("DISCOUNT", "account of discounts; without it ACCOUNT", pattern=_ACCOUNT),
    Setting("FEE", "account of fees; without it ACCOUNT", pattern=_ACCOUNT),
    Setting(
        "ROUNDING",
        "account for differences of up to 0.02; without it such an order is held",
        pattern=_ACCOUNT,
    ),
    Setting(
        "PAYMENTS",
        "account that each method of payment is paid to, as `card:090,paypal:091`; without it no payments are posted",
        pattern=f"[^,:]+:{_ACCOUNT}(, ?[^,:]+:{_ACCOUNT})*",
    ),
    Setting(
        "CONTACT",
        "`as-entered`: a customer's newest order updates e-mail address, first and last name, phone and addresses of"
        " the linked contact; `link-only`: contacts that are there are never written to",
        "as-entered",
        pattern="as-entered|link-only",
    ),
)
