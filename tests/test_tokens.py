"""What an answer of a token endpoint means, and which refresh token is sent next."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncctl.connectors.declared import Grant
from syncctl.oauth.grants import chain_of, error_of, form, granted, refresh_tokens
from syncctl.state.tokens import Token

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
GRANT = Grant("https://id.example/token", {"client_id": "me"}, None, "first", 1800)
FRESH = Token("chain", "", NOW)
KEPT = Token("chain", "access", NOW, "read", "newest", "before", NOW - timedelta(minutes=10))


def answered(kept: Token = KEPT, sent: str = "newest", **fields: Any) -> Token:
    return granted(json.dumps({"access_token": "fresh", **fields}).encode(), kept, sent, NOW)


@pytest.mark.parametrize(("told", "seconds"), [(1800, 1800), ("60", 60), (86400.5, 86400.5)])
def test_a_token_lives_as_long_as_the_service_says(told: object, seconds: float) -> None:
    assert answered(expires_in=told).expires_at == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("told", [None, "", "soon", 0, -5, [], {}, float("nan"), float("inf"), 10**400, 1e300])
def test_a_life_that_makes_no_sense_is_half_an_hour(told: object) -> None:
    assert answered(expires_in=told).expires_at == NOW + timedelta(minutes=30)


def test_the_refresh_token_that_was_sent_becomes_the_previous_one() -> None:
    token = answered(refresh_token="next-one")
    assert (token.refresh, token.previous, token.replaced_at) == ("next-one", "newest", NOW)


def test_of_a_retry_with_the_previous_one_the_grace_counts_from_its_first_use() -> None:
    token = answered(sent="before", refresh_token="next-one")
    assert (token.refresh, token.previous, token.replaced_at) == ("next-one", "before", KEPT.replaced_at)


def test_a_service_that_does_not_rotate_keeps_its_refresh_token() -> None:
    for fields in ({}, {"refresh_token": None}, {"refresh_token": "newest"}):
        token = answered(**fields)
        assert (token.refresh, token.previous) == ("newest", "before")


def test_client_credentials_keep_no_refresh_token() -> None:
    token = answered(FRESH, "", refresh_token="unasked")
    assert (token.refresh, token.previous, token.replaced_at) == ("", "", None)


@pytest.mark.parametrize(("scope", "told"), [("a b", "a b"), ("", ""), (None, None), (["a"], None)])
def test_scopes_as_far_as_they_are_told(scope: object, told: str | None) -> None:
    assert answered(scope=scope).scopes == told


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"access_token": 7}', b'{"access_token": "a b\\r\\nc"}', b"[" * 100_000, b"\xff"],
)
def test_an_answer_without_a_token(body: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        granted(body, KEPT, "newest", NOW)


def test_a_refresh_token_that_is_none() -> None:
    with pytest.raises(ValueError, match="no token"):
        answered(refresh_token=["next-one"])


def test_which_refresh_tokens_are_sent() -> None:
    assert refresh_tokens(GRANT, FRESH, NOW) == ["first"]
    assert refresh_tokens(GRANT, KEPT, NOW) == ["newest", "before"]
    assert refresh_tokens(GRANT, KEPT, NOW + timedelta(minutes=20)) == ["newest"]
    assert refresh_tokens(Grant(GRANT.url, GRANT.form), KEPT, NOW) == [""]


def test_what_begins_a_chain() -> None:
    others = [
        Grant("https://other.example/token", GRANT.form, None, "first"),
        Grant(GRANT.url, {"client_id": "you"}, None, "first"),
        Grant(GRANT.url, {}, ("them", "secret"), "first"),
        Grant(GRANT.url, GRANT.form, None, "second"),
    ]
    assert len({chain_of(grant) for grant in (GRANT, *others)}) == 5
    assert chain_of(Grant(GRANT.url, {}, ("me", "new secret"), "first")) == chain_of(GRANT)


def test_forms() -> None:
    assert form(GRANT, "newest") == {"client_id": "me", "grant_type": "refresh_token", "refresh_token": "newest"}
    assert form(Grant(GRANT.url, {"scope": "a"}), "") == {"grant_type": "client_credentials", "scope": "a"}


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"error": "invalid_grant"}', ("invalid_grant", "")),
        (b'{"error": "a", "error_description": "b"}', ("a", "b")),
        (b'{"error": {"code": 1}}', ("", "")),
        (b"[1]", ("", "")),
        (b"<html>", ("", "")),
    ],
)
def test_words_of_a_refusal(body: bytes, found: tuple[str, str]) -> None:
    assert error_of(body) == found
