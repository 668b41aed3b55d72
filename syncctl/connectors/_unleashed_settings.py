"""What can be set for Unleashed."""

from __future__ import annotations

from syncctl.connectors.declared import POSTING, Setting, SignIn

SIGN_INS = (SignIn("API access", ("API_ID", "API_KEY")),)
CHARGES = ("SHIPPING", "DISCOUNT", "FEE", "ROUNDING")
SETTINGS = (
    Setting("API_ID", "API id, from Integration > Unleashed API access", required=True),
    Setting("API_KEY", "API key, from the same page", required=True, secret=True),
    Setting(
        "CLIENT_TYPE",
        "account/app, as the vendor asks of each client",
        "shop/syncctl",
        pattern=r"[a-z0-9_./-]{1,40}",
        form="account/app, in at most 40 small letters, digits, _, . or -",
    ),
    Setting("PRICE_TIER", "sell price tier 1-10; without it the default sell price", pattern="[1-9]|10", form="1-10"),
    Setting("WAREHOUSE", "code of the warehouse that the shop sells from; without it the sum of all"),
    Setting(
        "CURRENCY",
        "currency of the prices (ISO 4217); the product list does not tell it",
        pattern="[A-Z]{3}",
        asked=True,
        form="three capital letters, as NZD",
    ),
    Setting(
        "STATUS",
        "what a posted order becomes: Parked, Placed, or Completed with its invoice",
        "Placed",
        pattern="Parked|Placed|Completed",
        form="Parked, Placed or Completed",
    ),
    Setting("SHIPPING", "code of the product that stands for shipping, or `charge` for a charge line", "charge"),
    Setting("DISCOUNT", "the same for discounts", "charge"),
    Setting("FEE", "the same for fees", "charge"),
    Setting("ROUNDING", "the same for differences of up to 0.02; without it such an order is held"),
    *POSTING,
    Setting("PAGE_SIZE", "records a page, 1-1000", "200", pattern=r"[1-9]\d{0,2}|1000", form="1-1000"),
)
