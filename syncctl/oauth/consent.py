"""A person's consent (OAuth 2, authorization code): the address to open, and what the browser brings back from it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from syncctl.connectors._fields import text
from syncctl.connectors.declared import Consent, Grant, Values
from syncctl.errors import AccountError, CredentialsError
from syncctl.models import Struct

PATH = "/callback"


class Wish(Struct):
    """One try to get a consent. `state` comes back unchanged; the `verifier` is "" for an app that has a secret."""

    consent: Consent
    redirect: str
    state: str
    verifier: str

    @classmethod
    def new(cls, consent: Consent, port: int) -> Wish:
        """A wish that nobody can guess; the browser is to come back to localhost, by its name."""
        verifier = secrets.token_urlsafe(64) if consent.pkce else ""
        return cls(consent, f"http://localhost:{port}{PATH}", secrets.token_urlsafe(24), verifier)

    def address(self) -> str:
        """What a person opens in a browser."""
        asks = {"response_type": "code", **self.consent.asks, "redirect_uri": self.redirect}
        asks |= {"scope": " ".join(self.consent.scopes), "state": self.state}
        if self.verifier:
            digest = hashlib.sha256(self.verifier.encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            asks |= {"code_challenge": challenge, "code_challenge_method": "S256"}
        return f"{self.consent.url}?{urlencode(asks, quote_via=quote)}"

    def form(self, grant: Grant, code: str) -> dict[str, str]:
        """The form that changes the code for a token."""
        sent = {**grant.form, "grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect}
        return sent | {"code_verifier": self.verifier} if self.verifier else sent

    def owns(self, answer: Mapping[str, str]) -> bool:
        """Whether an answer is to this wish: any page can send a browser here, and an old one may still be open."""
        return hmac.compare_digest(answer.get("state", "").encode(), self.state.encode())

    def code(self, answer: Mapping[str, str], values: Values, again: str) -> str:
        """The code in the answer; `again` says how to begin anew. Raises `CredentialsError` and `AccountError`."""
        error = answer.get("error", "")
        if error == "access_denied":
            raise CredentialsError("The consent was refused on the page (access_denied)", f"To allow it: {again}")
        if error:
            said = _shown(": ".join(filter(None, (error, answer.get("error_description", "")))))
            remedy = f"Look at {self.consent.app}: what the app may ask for, and its redirect address {self.redirect}"
            raise CredentialsError(f"The page refuses to ask for the consent with {said}", remedy)
        for name, setting in self.consent.same.items():
            self._compare(answer.get(name), values, setting, again)
        return answer.get("code", "")

    def _compare(self, told: str | None, values: Values, setting: str, again: str) -> None:
        """The code is good at the account that was chosen on the page only, so that it is not sent to another one."""
        wanted = values.get(setting)
        if told and told != wanted:
            remedy = f"Sign in to {wanted}, or set {values.variable(setting)}={_shown(told)}. {again}"
            raise AccountError(
                f"The consent is for {_shown(told)}, and {values.variable(setting)} says {wanted}", remedy
            )


def _shown(words: str) -> str:
    """What came by the browser, in one harmless line."""
    return " ".join(text(words).split())[:200]


def answer_in(pasted: str) -> dict[str, str]:
    """What stands in the query of an address, or in a query alone; {} where it is no answer to a wish."""
    pasted = pasted.strip()
    try:
        query = urlsplit(pasted).query or pasted
    except ValueError:
        return {}
    found = dict(parse_qsl(query))
    return found if "error" in found or "code" in found else {}


def missing(wanted: Iterable[str], granted: str | None) -> list[str]:
    """The scopes that were not granted, where the service says what was.

    What may be written may be read: `accounting.contacts` gives `accounting.contacts.read`, too.
    """
    if granted is None:
        return []
    have = set(granted.split())
    # What lets a refresh token come is not always told: that one came shows it.
    return [s for s in wanted if s not in have and s.removesuffix(".read") not in have and s != "offline_access"]
