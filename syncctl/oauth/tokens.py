"""Tokens of the connectors that give a `Grant` (OAuth 2): which one to use, how the next one is got.

A refresh token is often good for one use. So the request is made under a lock, the file is known to be writable before
it, and the new refresh token is in the file before anything is done with the access token that came with it.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from syncctl.connectors.base import Connector
from syncctl.connectors.declared import Grant
from syncctl.errors import AnswerError, CredentialsError, SyncctlError, UnknownOutcomeError
from syncctl.http.answer import HttpAnswer
from syncctl.http.failures import AgainError, Failures, unknown
from syncctl.models import iso
from syncctl.oauth.grants import belongs, chain_of, client_of, error_of, form, granted, id_and_secret, refresh_tokens
from syncctl.run import Run
from syncctl.state.tokens import Token, TokenFile

if TYPE_CHECKING:
    import requests

    Send = Callable[[Mapping[str, str]], HttpAnswer]

MARGIN = timedelta(seconds=60)  # before its end a token is not used any more: the call takes time, too
CODE = "code"  # stands for what the first refresh token is given for


class SpentError(CredentialsError):
    """The service does not take this refresh token any more (`invalid_grant`)."""


class Keeper:
    """The token of one connector in one run: from the token file, else fetched by `send` (one try of the request)."""

    def __init__(self, failures: GrantFailures, file: TokenFile, run: Run, send: Send) -> None:
        self.name = failures.config.name
        self.grant = failures.grant
        self.chain = chain_of(failures.grant)
        self.client = client_of(failures.grant)
        self.failures = failures
        self.file = file
        self.run = run
        self.send = send
        self._refusal: CredentialsError | None = None

    def current(self, refused: str = "") -> Token | None:
        """The token to use; None where another one than the `refused` one is needed, or its time is up.

        Another secret is tried at once, before the next token is needed: a wrong one would show in the night.
        """
        token = self._kept(self.file.read())
        usable = token and token.access != refused and self.run.now() < token.expires_at - MARGIN
        return token if token and usable and token.client == self.client else None

    def free(self) -> bool:
        """Whether a new token spends nothing: the service gives one for id and secret alone."""
        return self.grant.refresh_token is None

    def begin(self, form: Mapping[str, str]) -> Token:
        """The first token of a consent, by the code in `form`; it is in the file when this returns.

        It replaces what is there of this connector. Raises like `fetched`.
        """
        with self.file.locked(self.name, self.run):
            tokens, began = self.file.read(), self.run.now()
            self.file.write(tokens)  # a full disk has to show before the code is spent
            answer = self.send(form)
            try:
                token = granted(answer.body, Token(self.chain, "", began), CODE, began)
            except (ValueError, RecursionError):
                raise self.failures.of_no_token(answer) from None
            if token.refresh == CODE:
                raise self.failures.of_no_refresh_token()
            self.failures.secrets |= token.secrets()
            self.file.write(tokens | {self.name: token.changed(client=self.client, previous="")})
            return token

    def fetched(self, refused: str = "") -> Token:
        """A new token, or the one that another process has fetched meanwhile.

        Raises what `send` does, `AnswerError`, `LockedError` and `TokenFileError`. One refused request a run will do:
        the error is raised again.
        """
        if self._refusal:
            raise self._refusal
        with self.file.locked(self.name, self.run):
            try:
                return self.current(refused) or self._exchanged()
            except CredentialsError as error:
                self._refusal = error
                raise

    def auth(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Puts id and secret on a request for a token, where they do not travel in the form."""
        from requests.auth import HTTPBasicAuth

        return HTTPBasicAuth(*self.grant.basic)(request) if self.grant.basic else request

    def _exchanged(self) -> Token:
        """The new token, which is in the file when this returns."""
        tokens, began = self.file.read(), self.run.now()
        kept = self._kept(tokens) or Token(self.chain, "", began)
        if self.grant.refresh_token == kept.refresh == "":
            raise self.failures.of_no_consent()
        self.failures.lost_at = kept.asked_at
        # Written before: a full disk has to show before a refresh token is spent, and a killed run leaves what it did.
        self.file.write(tokens | self._mark(tokens, kept, began))
        try:
            token = self._granted(kept, began).changed(client=self.client)
        except (AgainError, SyncctlError) as error:
            if not isinstance(unknown(error, 0), UnknownOutcomeError):
                self.file.write(tokens)
            raise
        self.failures.secrets |= token.secrets()
        self.file.write(tokens | {self.name: token})
        return token

    def _mark(self, tokens: Mapping[str, Token], kept: Token, began: datetime) -> dict[str, Token]:
        """That the refresh token is sent now, unless it was sent before or the file would lose another chain."""
        another = self.name in tokens and not belongs(tokens[self.name], self.grant)
        return {} if another or self.free() else {self.name: kept.changed(asked_at=kept.asked_at or began)}

    def _granted(self, kept: Token, began: datetime) -> Token:
        sent, answer = self._answered(refresh_tokens(self.grant, kept, began))
        try:
            return granted(answer.body, kept, sent, began)
        except (ValueError, RecursionError):
            raise self.failures.of_no_token(answer) from None  # what was read may hold one after all

    def _answered(self, candidates: list[str]) -> tuple[str, HttpAnswer]:
        """The answer to the first of the refresh tokens that is still good, and which one that was."""
        sent, *others = candidates
        try:
            return sent, self.send(form(self.grant, sent))
        except SpentError:
            if not others:
                raise
        return self._answered(others)

    def _kept(self, tokens: Mapping[str, Token]) -> Token | None:
        """The token of this chain."""
        token = tokens.get(self.name)
        if token is None:
            return None
        self.failures.secrets |= token.secrets()
        return token if belongs(token, self.grant) else None


class GrantFailures(Failures):
    """What a failed request for a token means. `lost_at` is when an earlier one of ours got no answer."""

    lost_at: datetime | None = None
    minutes = 0  # that a code lives, while one is sent

    def __init__(self, grant: Grant, api: Failures) -> None:
        super().__init__(api.config, api.ledger, api.clock, api.secrets)
        self.grant = grant
        if grant.basic:
            self.secrets.add(base64.b64encode(":".join(grant.basic).encode("latin-1", "replace")).decode())
        self.url = grant.url
        self.setting = self._holding(grant.url) or self.setting

    def credentials(self) -> str:
        """The names of the settings that tell the service who asks."""
        return self._holding(*id_and_secret(self.grant)) or super().credentials()

    def of_answer(self, response: requests.Response, body: bytes, call: int) -> Exception:
        """What a status of 300 and above means: a refusal needs a person, all else is as with other calls."""
        if response.status_code not in (400, 401, 403):
            return super().of_answer(response, body, call)
        said = self._said(response, body)
        if self.grant.refresh_token is not None and error_of(body)[0] == "invalid_grant":
            return self._of_invalid_grant(said)
        remedy = f"Check {self.credentials()}, and what the app may do at the service; then run syncctl doctor"
        if error_of(body)[0] == "unauthorized_client" and self.grant.refresh_token is None:
            remedy = f"An app that a person consents to needs syncctl auth {self.config.name}. {remedy}"
        return CredentialsError(f"The service refuses to give a token with {said}", remedy)

    def _of_invalid_grant(self, said: str) -> CredentialsError:
        """What is refused is a refresh token, or the code of a consent that is going on."""
        again = f"Consent again: syncctl auth {self.config.name}"
        if self.minutes:
            return CredentialsError(
                f"The service takes the code no more ({said}): it lives for {self.minutes} minutes, is good for one"
                " use, and only with the redirect address that it was given for",
                again,
            )
        return SpentError(f"The service takes the refresh token no more ({said}): {self._why_spent()}", again)

    def of_no_consent(self) -> CredentialsError:
        """There is no refresh token to begin with."""
        remedy = f"Run syncctl auth {self.config.name} once, and allow it on the page of {self.cls.title}"
        return CredentialsError("Nobody has consented yet, so that no token can be fetched", remedy)

    def of_no_refresh_token(self) -> CredentialsError:
        """The consent was for a while only."""
        remedy = "Look at what the app may ask for, offline access above all, and consent again"
        return CredentialsError("The consent gave no refresh token, so that it would end with its first token", remedy)

    def _why_spent(self) -> str:
        if self.lost_at is None:
            return "it is spent, revoked or was unused too long"
        again = f"again for {self.grant.grace // 60} minutes only" if self.grant.grace else "once"
        return (
            f"the answer to syncctl's own request at {iso(self.lost_at)} was lost, and {self.cls.title} takes a"
            f" refresh token {again}"
        )

    def of_no_token(self, answer: HttpAnswer) -> AnswerError:
        """An answer that should hold a token and does not; nothing of it is shown, it may hold half of one."""
        kind = self.shown(answer.headers.get("Content-Type", "no type"))
        return AnswerError(
            f"The answer of {self.url} has no token in it (call {answer.call}, {kind})",
            f"Check {self.setting}, and whether a proxy or a login page stands in between",
        )

    def _words(self, body: str) -> str:
        return ": ".join(filter(None, error_of(body.encode()))) or Connector.service_words(body)

    def _holding(self, *values: str) -> str:
        """The names of the settings with these values."""
        settings = self.config.values.settings
        return " and ".join(self.variable(name) for name, value in settings.items() if value and value in values)
