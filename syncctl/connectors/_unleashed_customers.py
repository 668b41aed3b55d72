"""Reads Unleashed's customers (apidocs.unleashedsoftware.com, Customers)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from syncctl.connectors._fields import addresses, microsoft_date, text
from syncctl.models import Customer, Problem, State


def customer(item: Mapping[str, Any], where: str) -> Customer | Problem:
    """A customer with the addresses of all its contacts; those that only get copies (EmailCC) are somebody else's."""
    code = text(item.get("CustomerCode")).strip()
    remote_id = text(item.get("Guid")).strip().lower()
    if not remote_id:
        return Problem(f"customer {code or '?'} on {where}", "has no Guid", "Report it to Unleashed")
    return Customer(
        remote_id=remote_id,
        codes=(code,),
        name=text(item.get("CustomerName")),
        emails=addresses(item.get("Email"), *(contact.get("EmailAddress") for contact in _contacts(item))),
        state=State.INACTIVE if item.get("Obsolete") is True else State.ACTIVE,
        version=microsoft_date(item.get("LastModifiedOn")),
    )


def _contacts(item: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    contacts = item.get("Contacts")
    yield from (each for each in (contacts if isinstance(contacts, list) else ()) if isinstance(each, dict))
