"""The page on which a person lets an app in, or does not (RFC 6749, section 4.1).

A service's switch `consent` answers in the person's stead: `allow` and `deny` send the browser back at once.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

from .messages import Response

if TYPE_CHECKING:
    from .messages import Request
    from .switches import Switches

SWITCHES: dict[str, tuple[str, ...]] = {
    "consent": ("page", "allow", "deny"),
    # A person who may give less than is asked for, or an app that has less.
    "consent_grants": ("all", "fewer"),
}
_HTML = "text/html; charset=utf-8"
_BUTTONS = '<form method="post"><button name="decision" value="{}">{}</button></form>'


@dataclass(frozen=True, slots=True)
class Wish:
    """What an app asks of a person, as it stands in the address of the page."""

    response_type: str
    client_id: str
    redirect: str
    state: str
    scopes: tuple[str, ...]
    challenge: str
    method: str

    @classmethod
    def of(cls, request: Request) -> Wish:
        """The wish in a request's query."""
        told = dict(parse_qsl(request.query))
        return cls(
            told.get("response_type", ""),
            told.get("client_id", ""),
            told.get("redirect_uri", ""),
            told.get("state", ""),
            tuple(told.get("scope", "").split()),
            told.get("code_challenge", ""),
            told.get("code_challenge_method", ""),
        )

    def back(self, **told: str) -> Response:
        """Sends the browser back to the app."""
        query = urlencode({**told, "state": self.state} if self.state else told)
        joint = "&" if urlsplit(self.redirect).query else "?"
        return Response(302, headers=(("Location", f"{self.redirect}{joint}{query}"), ("Cache-Control", "no-store")))

    def granted(self, switches: Switches) -> tuple[str, ...]:
        """What the person gives (switch `consent_grants`)."""
        fewer = switches["consent_grants"] == "fewer"
        return self.scopes[:-1] if fewer else self.scopes

    def page(self, title: str) -> Response:
        """What a person sees: who asks for what, and two buttons, which send a form to the same address."""
        scopes = "".join(f"<li>{escape(scope)}" for scope in self.scopes)
        buttons = _BUTTONS.format("allow", "Allow access") + _BUTTONS.format("deny", "Cancel")
        body = f"<h1>{escape(title)}</h1><p>{escape(self.client_id)} wants:<ul>{scopes}</ul>{buttons}"
        return Response(200, f"<!doctype html><title>Consent</title>{body}".encode(), _HTML)


def decision(request: Request, switches: Switches) -> str:
    """`allow`, `deny`, or `page` as long as nobody has pressed a button."""
    if request.method == "POST":
        return dict(parse_qsl(request.body.decode("utf-8", "replace"))).get("decision", "page")
    return switches["consent"]


def unusable(sentence: str) -> Response:
    """A wish that cannot be trusted with an answer: the browser stays where it is."""
    return Response(400, f"<!doctype html><title>Error</title><p>{escape(sentence)}".encode(), _HTML)


def fits(verifier: str, challenge: str) -> bool:
    """Whether a verifier is the one whose digest was the challenge (RFC 7636, S256)."""
    if not 43 <= len(verifier) <= 128:
        return False
    digest = sha256(verifier.encode("ascii", "replace")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge
