"""What X-Series refuses, leaves out and changes of a posted customer.

x-series-api.lightspeedhq.com/reference/createcustomer has the fields; that a wrong type gets a 400 and an
unknown group a 422 is the sandbox's own reading of what the statuses mean.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..wire import Number
from .answers import bad_request

if TYPE_CHECKING:
    from ..wire import JsonObject

REQUIRED = ("first_name", "last_name")
FLAGS = ("enable_loyalty", "do_not_email", "enable_promotional_sms")
ADDRESSES = tuple(
    f"{kind}_{part}"
    for kind in ("physical", "postal")
    for part in ("address_1", "address_2", "suburb", "city", "postcode", "state", "country_id")
)
CUSTOM = tuple(f"custom_field_{number}" for number in range(1, 5))
TEXTS = (
    *REQUIRED,
    *("customer_code", "customer_group_id", "email", "note", "gender", "date_of_birth", "company_name"),
    *("phone", "mobile", "fax", "twitter", "website", *ADDRESSES, *CUSTOM, "tax_id"),
)
WRITABLE = (*TEXTS, *FLAGS, "on_account_limit")
STRICT_SINCE = "2026-07"
"""x-series-api.lightspeedhq.com/changelog/2026-07-extended-postal-code-validation, for 40 countries."""

_REDACTED = (*REQUIRED, "company_name", "note", *ADDRESSES, *CUSTOM)
_CARD = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)", re.ASCII)
_DIGIT = re.compile(r"\d", re.ASCII)
_POST_CODES = {
    **dict.fromkeys(("AT", "AU", "BE", "CH", "DK", "NO", "NZ", "ZA"), r"\d{4}"),
    **dict.fromkeys(("DE", "ES", "FI", "FR", "IT", "MY"), r"\d{5}"),
    "CA": r"[A-Z]\d[A-Z] ?\d[A-Z]\d",
    "GB": r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}",
    "JP": r"\d{3}-?\d{4}",
    "NL": r"\d{4} ?[A-Z]{2}",
    "SE": r"\d{3} ?\d{2}",
    "SG": r"\d{6}",
    "US": r"\d{5}(-\d{4})?",
}
"""By the general form of each country's codes: the vendor's own list is not published in full."""


def writable(posted: JsonObject) -> JsonObject:
    """What of a posted customer is the client's to set, card numbers made unreadable without a word."""
    return {name: _redacted(name, posted[name]) for name in WRITABLE if name in posted}


def check(posted: JsonObject, version: str) -> None:
    """Refuse with 400 a customer without its two required keys, with wrong types or a wrong post code."""
    for name in REQUIRED:
        if name not in posted:
            raise bad_request(f"{name} is required")
    for name in TEXTS:
        if posted.get(name) is not None and not is_text(posted[name]):
            raise bad_request(f"{name} must be a text")
    for name in FLAGS:
        if not isinstance(posted.get(name), bool | None):
            raise bad_request(f"{name} must be true or false")
    if version >= STRICT_SINCE:
        _check_post_codes(posted)


def is_text(value: object) -> bool:
    """Whether a value of a body is a text; number tokens are kept as texts too."""
    return isinstance(value, str) and not isinstance(value, Number)


def _check_post_codes(posted: JsonObject) -> None:
    for kind in ("physical", "postal"):
        code, country = posted.get(f"{kind}_postcode"), posted.get(f"{kind}_country_id") or ""
        form = _POST_CODES.get(country.upper())
        if code and form and not re.fullmatch(form, code.strip(), re.IGNORECASE | re.ASCII):
            raise bad_request(f"{kind}_postcode is not valid for {country}")


def _redacted(name: str, value: Any) -> Any:
    """How a number looks that was made unreadable is not published: here its digits become stars."""
    if name not in _REDACTED or not is_text(value):
        return value
    return _CARD.sub(lambda found: _DIGIT.sub("*", found[0]) if _is_card(found[0]) else found[0], value)


def _is_card(text: str) -> bool:
    """Whether the check digit is right (ISO/IEC 7812-1)."""
    digits = [int(each) for each in reversed(_DIGIT.findall(text))]
    return sum(sum(divmod(digit * 2, 10)) if place % 2 else digit for place, digit in enumerate(digits)) % 10 == 0
