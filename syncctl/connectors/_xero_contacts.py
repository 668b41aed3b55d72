"""Xero's contacts, read by page and by the date of their last change (developer.xero.com, accounting/contacts)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from syncctl.connectors._fields import addresses, each, microsoft_date, quoted, text, whole
from syncctl.connectors._stamps import Cursor, moved, set_back, since_text
from syncctl.connectors.base import Answer, Connector, Found, Page
from syncctl.errors import RefusedError
from syncctl.models import Customer, Kind, Problem, State

# By id: an order that no change can move. Archived contacts would be left out otherwise.
_LISTED = "includeArchived=true&order=ContactID"


def contact_page(connector: Connector, cursor: str | None) -> Page:
    """One page of all contacts, or of those changed since the cursor's stamp."""
    at = Cursor.parse(cursor)
    headers = {} if at.stamp is None else {"If-Modified-Since": since_text(at.stamp)}
    size = connector.page_size(connector.values, Kind.CUSTOMERS)
    query = f"page={at.page}&pageSize={size}&{_LISTED}"
    try:
        answer = connector.http.get("/Contacts", query, headers=headers, keep_body=at.stamp is not None)
    except RefusedError as error:
        if error.status == 304 and cursor:  # one of the forms that "nothing changed" may take
            return Page((), str(at.after()), last=True, call=error.call)
        raise
    if settled := set_back(at, answer):
        return Page((), str(settled), last=False, call=answer.call)
    return _page(at, answer)


def _page(at: Cursor, answer: Answer) -> Page:
    contacts, paging = list(answer.elements("Contacts")), _paging(answer)
    told = whole(paging.get("page"))
    if contacts and told not in (0, at.page):
        remedy = "Run it again; if it stays so, report it to Xero"
        raise answer.unfit(f"Page {at.page} was asked for and page {told} came (call {answer.call})", remedy)
    changed = (microsoft_date(each.get("UpdatedDateUTC")) for each in contacts if isinstance(each, dict))
    now = moved(at, answer, max(changed, default=0))
    pages = paging.get("pageCount")
    last = not contacts or (isinstance(pages, int) and at.page >= pages)
    total = paging.get("itemCount")
    records = read(contacts, f"page {at.page}")
    return Page(
        records, str(now.after() if last else now), last, answer.call, total if isinstance(total, int) else None
    )


def _paging(answer: Answer) -> Mapping[str, Any]:
    """What the answer says of its pages; nothing where it does not."""
    data = answer.json()
    paging = data.get("pagination") if isinstance(data, dict) else None
    return paging if isinstance(paging, dict) else {}


def search(connector: Connector, code: str, email: str) -> Found:
    """A search that contains; it looks at the contact number and the contact's own address, not at account numbers."""
    query = f"searchTerm={quoted(code or email)}&page=1&pageSize=1000&includeArchived=true"
    answer = connector.http.get("/Contacts", query)
    records = list(read(answer.elements("Contacts"), "the search"))
    if whole(_paging(answer).get("pageCount")) > 1:
        message = "more contacts contain this than one answer shows"
        records.append(Problem(code or email, message, "Run syncctl sync-customers --full"))
    return Found(records, (), answer.call)


def whole_contact(contact: Mapping[str, Any]) -> Customer | None:
    """A contact as the answer to a write shows it; None where that is not all that a read would show."""
    if not {"ContactID", "ContactNumber", "Name", "ContactStatus", "ContactPersons"} <= contact.keys():
        return None
    found = _contact(contact, "the answer")
    return found if isinstance(found, Customer) else None


def read(contacts: Iterable[Any], where: str) -> Iterator[Customer | Problem]:
    """The contacts in their order."""
    return each(_contact, contacts, "contact", where, "Xero")


def _contact(contact: Mapping[str, Any], where: str) -> Customer | Problem:
    """A contact with the addresses of its persons; one that was merged into another is archived."""
    name = text(contact.get("Name"))
    remote_id = text(contact.get("ContactID")).strip().lower()
    if not remote_id:
        return Problem(f"contact {name or '?'} on {where}", "has no ContactID", "Report it to Xero")
    listed = contact.get("ContactPersons")
    persons = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    is_active = contact.get("ContactStatus") in (None, "ACTIVE") and not contact.get("MergedToContactID")
    return Customer(
        remote_id=remote_id,
        codes=tuple(text(contact.get(field)).strip() for field in ("ContactNumber", "AccountNumber")),
        name=name,
        emails=addresses(contact.get("EmailAddress"), *(person.get("EmailAddress") for person in persons)),
        state=State.ACTIVE if is_active else State.INACTIVE,
        version=microsoft_date(contact.get("UpdatedDateUTC")),
    )
