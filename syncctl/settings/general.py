"""The settings that belong to no connector."""

from __future__ import annotations

from syncctl.clock import LENGTH
from syncctl.connectors.declared import Setting
from syncctl.settings.mail import MAIL_SETTINGS

GLOBAL = (
    Setting(
        "SHOP",
        "short name of the shop, 2-12 letters, digits or `-`, to which the state and every reference belong; no two"
        " installations post to one account under the same",
        required=True,
        pattern="[A-Za-z0-9-]{2,12}",
        form="2-12 letters, digits or -",
    ),
    Setting(
        "CONNECTORS",
        "the connectors, comma separated, each a service (`unleashed`) or a name of its own and a service"
        " (`nz:unleashed`)",
        required=True,
    ),
    Setting("STATE", "the state file; by default it follows the `.env`"),
    Setting(
        "STATE_GROUP",
        "the group that shares the state file with the shop's own user",
        pattern=r"[^\s:]+",
        form="the name of a group",
    ),
    Setting("PRICE_FROM", "the connector that owns the shop's prices; by default the first with the role products"),
    Setting("STOCK_FROM", "the connector that owns the shop's stock; by default the first with the role stock"),
    Setting(
        "NEW_PRODUCTS",
        "insert or ignore what the shop does not have yet",
        "insert",
        pattern="insert|ignore",
        form="insert or ignore",
    ),
    Setting(
        "TIMEZONE",
        "where the shop is, as `Pacific/Auckland`; required with the role invoices",
        pattern=r"[A-Za-z0-9_+/-]+",
        form="the name of a place, as Pacific/Auckland",
    ),
    Setting(
        "POST_STATUSES",
        "which orders are posted, by their status, comma separated; also those that may only come later, as `shipped`",
        "paid,completed",
    ),
    Setting(
        "POST_TO_ALL",
        "yes: post each order to every connector with the role invoices",
        pattern="yes|no",
        form="yes or no",
    ),
    Setting(
        "READ_SOLD",
        "whether the stock of what is sold is read again once its orders are posted to the stock owner: yes or no",
        "yes",
        pattern="yes|no",
        form="yes or no",
    ),
    Setting(
        "RETRY",
        "after how long a refused record is tried again, the first time, the second time …; then it is given up;"
        " whole minutes, hours or days, as 30m,2h,1d",
        "1h,2h,4h,4h,8h,12h,24h,24h,24h",
        pattern=r"\d{1,4}[mhd](,\d{1,4}[mhd])*",
        form="whole minutes, hours or days, as 30m,2h,1d",
    ),
    Setting(
        "PING_URL",
        "address of a check at healthchecks.io or the like, pinged when a run begins and ends",
        secret=True,
        pattern=r"https?://\S+",
        form="an address, as https://hc-ping.com/…",
    ),
    Setting(
        "FRESHNESS",
        "how soon a change has to show, as `90m`, `2h`, `1d`; status --check warns",
        "2h",
        pattern=LENGTH,
        form="minutes, hours or days, as 90m, 2h or 1d",
    ),
    Setting(
        "KEEP_BODIES_DAYS", "days that requests and answers are kept", "7", pattern="[0-9]{1,4}", form="days, 0-9999"
    ),
    Setting(
        "KEEP_JOURNAL_DAYS",
        "days that calls and runs are kept, at least 35: a month's budget needs them",
        "400",
        pattern="3[5-9]|[4-9][0-9]|[1-9][0-9]{2,3}",
        form="a number of days, at least 35: a month's budget needs them",
    ),
    Setting(
        "KEEP_CHANGES_DAYS",
        "days that changes are kept; the last one of each value stays",
        "400",
        pattern="[0-9]{1,4}",
        form="days, 0-9999",
    ),
    *MAIL_SETTINGS,
)
