"""Who may call Vend's copy, how often, in which version, and how a refusal looks."""

from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import requests
from urllib3.util import SKIP_HEADER

from syncctl.sandbox import Sandbox

from .vend_client import VendClient


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def with_token(vend: VendClient, token: str, path: str = "2026-07/taxes") -> int:
    return vend.call("GET", path, headers=bearer(token)).status_code


def wait_of(answer: requests.Response, value: str) -> float:
    return (parsedate_to_datetime(value) - parsedate_to_datetime(answer.headers["Date"])).total_seconds()


# Tokens


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic sandbox-personal-token-not-a-secret", "token"])
def test_without_a_known_token_it_is_a_401(vend: VendClient, header: str) -> None:
    answer = vend.call("GET", "2026-07/taxes", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json()["error"] == "Unauthorized"


def test_a_refresh_gives_a_pair_and_ends_the_old_one(vend: VendClient) -> None:
    first = vend.refresh()
    assert first.status_code == 200
    pair = first.json()
    assert (pair["token_type"], pair["expires_in"], pair["domain_prefix"]) == ("Bearer", 86_400, "demo")
    assert pair["expires"] - parsedate_to_datetime(first.headers["Date"]).timestamp() == pytest.approx(86_400, abs=2)
    assert "inventory:read" in pair["scope"].split()
    assert with_token(vend, pair["access_token"]) == 200
    second = vend.refresh().json()
    assert second["refresh_token"] != pair["refresh_token"]
    assert with_token(vend, pair["access_token"]) == 401
    assert with_token(vend, second["access_token"]) == 200
    spent = vend.refresh(pair["refresh_token"])
    assert (spent.status_code, spent.json()["error"]) == (400, "invalid_grant")
    assert with_token(vend, second["access_token"]) == 200


def test_of_two_at_once_one_gets_the_pair(vend: VendClient) -> None:
    token = vend.tokens()["refresh_token"]
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: vend.refresh(token).status_code, range(8)))
    assert sorted(statuses) == [200] + [400] * 7


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"refresh_token": ""}, 400, "invalid_grant"),
    ],
)
def test_errors_of_the_token_endpoint(vend: VendClient, form: dict[str, str], status: int, error: str) -> None:
    before = vend.tokens()
    answer = vend.refresh(**form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description"]
    assert vend.tokens() == before


def test_the_token_endpoint_takes_a_posted_form_only(vend: VendClient) -> None:
    keys = vend.tokens() | {"grant_type": "refresh_token"}
    assert vend.call("POST", "1.0/token", keys).json()["error"] == "invalid_request"
    assert vend.call("GET", "1.0/token").json()["error"] == "invalid_request"


def test_expired_revoked_and_issued_tokens(vend: VendClient) -> None:
    access = vend.refresh().json()["access_token"]
    vend.tokens(expire=True)
    assert with_token(vend, access) == 401
    assert with_token(vend, vend.token) == 200
    access = vend.refresh().json()["access_token"]
    assert with_token(vend, access) == 200
    old = vend.tokens()["refresh_token"]
    assert vend.tokens(revoke=True)["refresh_token"] is None
    assert [with_token(vend, token) for token in (access, vend.token)] == [401, 401]
    assert vend.refresh(old).json()["error"] == "invalid_grant"
    new = vend.tokens(issue=True)["refresh_token"]
    assert new not in (None, old)
    assert vend.refresh(new).status_code == 200
    assert with_token(vend, vend.token) == 200


def test_an_access_token_lives_a_day(vend: VendClient) -> None:
    access = vend.refresh().json()["access_token"]
    vend.control("POST", "clock", {"advance": 86_300})
    assert with_token(vend, access) == 200
    vend.control("POST", "clock", {"advance": 101})
    assert with_token(vend, access) == 401


def test_tokens_survive_a_restart_and_not_a_reset(tmp_path: Path) -> None:
    for expected in (200, 401):
        with Sandbox(products=5, services=("vend",), db=tmp_path / "v.db") as running, requests.Session() as session:
            vend = VendClient(running, session)
            access = vend.tokens()["access_token"] or vend.refresh().json()["access_token"]
            assert with_token(vend, access) == 200
            if expected == 401:
                vend.control("POST", "reset")
                assert with_token(vend, access) == 401


def test_token_orders_that_make_no_sense(vend: VendClient) -> None:
    for order in ({"service": "vend"}, {"service": "vend", "forget": True}, {"service": "moon", "expire": True}):
        answer = vend.ask_control("POST", "tokens", order)
        assert answer.status_code in (400, 404)
        assert len(answer.json()["error"]) > 10


# Scopes


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/products", "products:read"),
        ("/search?type=products", "products:read"),
        ("/search?type=customers", "customers:read"),
        ("/search?type=sales", "sales:read"),
        ("/customers", "customers:read"),
        ("/customer_groups", "customers:read"),
        ("/sales", "sales:read"),
        ("/outlets", "outlets:read"),
        ("/registers", "registers:read"),
        ("/taxes", "taxes:read"),
        ("/payment_types", "payment_types:read"),
        ("/users", "users:read"),
        ("/user", "users:read"),
        ("/retailer", "retailer:read"),
        ("/retailer", "payment_types:read"),
    ],
)
def test_a_missing_scope_is_a_403_that_names_it(vend: VendClient, path: str, scope: str) -> None:
    scopes = vend.tokens()["scope"].split()
    vend.token = vend.refresh().json()["access_token"]
    assert vend.status(path) == 200
    vend.tokens(scope=" ".join(each for each in scopes if each != scope))
    answer = vend.call("GET", f"2026-07{path}")
    assert answer.status_code == 403
    assert scope in answer.text


def test_inventory_needs_its_scope(vend: VendClient) -> None:
    vend.token = vend.refresh().json()["access_token"]
    vend.tokens(scope="products:read")
    assert vend.call("POST", "2026-07/inventory", {}).status_code == 403
    assert vend.refresh().json()["scope"] == "products:read"


def test_scopes_of_a_personal_token(vend: VendClient) -> None:
    vend.tokens(scope="products:read")
    assert vend.status("/taxes") == 200
    vend.switch(personal_scopes="granted")
    assert vend.status("/taxes") == 403


def test_without_its_scope_no_cost_is_shown(vend: VendClient) -> None:
    (key,) = vend.plant("products", {"sku": "C", "supply_price": 4.2, "product_suppliers": [{"price": 4.2}]})
    vend.plant("stock", {"sku": "C", "average_cost": 4.1})
    assert vend.data(f"/products/{key}")["supply_price"] == 4.2
    assert vend.inventory(product_id=key)[0]["average_cost"] == 4.1
    vend.switch(personal_scopes="granted")
    vend.tokens(scope="products:read inventory:read")
    product = vend.data(f"/products/{key}")
    assert (product["supply_price"], product["product_suppliers"]) == (None, [{"price": None}])
    assert vend.inventory(product_id=key)[0]["average_cost"] is None


# User-Agent, versions, paths


def test_a_user_agent_is_required(vend: VendClient) -> None:
    def status() -> int:
        return vend.call("GET", "2026-07/taxes", headers={"User-Agent": SKIP_HEADER}).status_code

    assert status() == 400
    vend.switch(user_agent="403")
    assert status() == 403
    vend.switch(user_agent="ignored")
    assert status() == 200


@pytest.mark.parametrize("version", ["2.0", "2026-01", "2026-04", "2026-07", "2026-10", "2025-04", "2024-13"])
def test_versions_that_answer(vend: VendClient, version: str) -> None:
    assert vend.status("/products", version) == 200


@pytest.mark.parametrize("version", ["2027-01", "2026-05", "3.0", "latest", "2026-7"])
def test_versions_that_are_not(vend: VendClient, version: str) -> None:
    assert vend.status("/products", version) == 404


def test_an_old_version_is_served_as_the_oldest(vend: VendClient) -> None:
    assert vend.status("/inventory", "2025-04") == 200
    assert vend.call("POST", "2025-04/inventory", {}).status_code == 405
    vend.switch(oldest_version="2026-04")
    assert vend.status("/inventory", "2026-01") == 405
    assert isinstance(vend.call("POST", "2025-04/inventory", {}).json(), list)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "2026-07/nothing", 404),
        ("GET", "2026-07/products/mug", 404),
        ("GET", "2026-07", 404),
        ("DELETE", "2026-07/products", 405),
        ("PUT", "2026-01/sales/0b5e7a00-1111-4000-8000-000000000001", 405),
        ("POST", "2.0/sales", 405),
        ("GET", "2026-07/inventory", 405),
        ("GET", "2.0/inventory/0b5e7a00-1111-4000-8000-000000000001", 404),
        ("GET", "2026-07/products/0b5e7a00-1111-4000-8000-000000000001/inventory", 404),
    ],
)
def test_unknown_paths_and_methods(vend: VendClient, method: str, path: str, status: int) -> None:
    assert vend.call(method, path).status_code == status


def test_calls_are_counted_with_placeholders(vend: VendClient) -> None:
    vend.data(f"/products/{vend.data('/products?page_size=1')[0]['id']}")
    counts = vend.control("GET", "calls")["counts"]
    assert [each["path"] for each in counts] == ["/api/2026-07/products", "/api/2026-07/products/{id}"]


# Limits


def test_every_answer_tells_what_remains(vend: VendClient) -> None:
    found = [vend.call("GET", f"2026-07{path}").headers for path in ("/taxes", "/nothing", "/products?after=x")]
    assert [each["X-RateLimit-Limit"] for each in found] == ["650"] * 3
    assert [each["X-RateLimit-Remaining"] for each in found] == ["649", "648", "647"]
    refused = vend.call("GET", "2026-07/taxes", headers=bearer("wrong")).headers
    assert refused["X-RateLimit-Remaining"] == "647"


def test_the_limit_follows_the_registers(vend: VendClient) -> None:
    (third,) = vend.plant("registers", {"name": "New"})
    assert vend.call("GET", "2026-07/taxes").headers["X-RateLimit-Limit"] == "950"
    vend.plant("registers", {"id": third, "deleted_at": "2026-11-01T00:00:00+00:00"})
    assert vend.call("GET", "2026-07/taxes").headers["X-RateLimit-Limit"] == "650"
    vend.control("DELETE", f"records/vend/registers?id={vend.data('/registers')[0]['id']}")
    assert vend.call("GET", "2026-07/taxes").headers["X-RateLimit-Limit"] == "350"
    vend.control("POST", "reset")
    assert vend.call("GET", "2026-07/taxes").headers["X-RateLimit-Limit"] == "650"


def test_too_many_calls(vend: VendClient) -> None:
    vend.control("POST", "quota", {"service": "vend", "used": 649})
    assert vend.status("/taxes") == 200
    answer = vend.call("GET", "2026-07/taxes")
    assert answer.status_code == 429
    assert answer.json() == {"error": "Too Many Requests", "message": "Rate limiting enforced"}
    assert (answer.headers["X-RateLimit-Limit"], answer.headers["X-RateLimit-Remaining"]) == ("650", "0")
    assert 298 <= wait_of(answer, answer.headers["Retry-After"]) <= 301
    vend.switch(error_shape="errors")
    assert "message" in vend.call("GET", "2026-07/taxes").json()


@pytest.mark.parametrize(("window", "used"), [("fixed", 0), ("sliding", 2)])
def test_a_fixed_and_a_sliding_window(vend: VendClient, window: str, used: int) -> None:
    vend.switch(window=window)
    for _ in range(3):
        vend.status("/taxes")
        vend.control("POST", "clock", {"advance": 140})
    assert vend.control("GET", "limits")["vend"]["five_minutes"]["used"] == used


@pytest.mark.parametrize("window", ["fixed", "sliding"])
def test_the_window_has_room_when_retry_after_has_passed(vend: VendClient, window: str) -> None:
    vend.switch(window=window)
    vend.control("POST", "limits", {"vend": {"five_minutes": 2}})
    statuses = []
    for _ in range(3):
        statuses.append(vend.status("/taxes"))
        vend.control("POST", "clock", {"advance": 100})
    assert statuses == [200, 200, 429]
    answer = vend.call("GET", "2026-07/taxes")
    assert answer.status_code == 200


def test_where_the_wait_is_told(vend: VendClient) -> None:
    vend.control("POST", "limits", {"vend": {"five_minutes": 0}})
    answers = {}
    for form in ("date", "date_and_body", "body", "seconds", "absent"):
        vend.switch(retry_after=form)
        answers[form] = vend.call("GET", "2026-07/taxes")
    assert "retry-after" not in answers["date"].json()
    both = answers["date_and_body"]
    assert both.json()["retry-after"] == both.headers["Retry-After"]
    assert "Retry-After" not in answers["body"].headers
    assert wait_of(answers["body"], answers["body"].json()["retry-after"]) > 290
    assert answers["seconds"].headers["Retry-After"] == "300"
    assert "Retry-After" not in answers["absent"].headers
    assert "retry-after" not in answers["absent"].json()


def test_the_token_endpoint_counts_on_its_own(vend: VendClient) -> None:
    vend.control("POST", "limits", {"vend": {"five_minutes": 0, "token": 1}})
    first = vend.refresh()
    assert (first.status_code, first.headers["X-RateLimit-Remaining"]) == (200, "0")
    refused = vend.refresh()
    assert refused.status_code == 429
    left = float(refused.headers["X-RateLimit-Reset"]) - parsedate_to_datetime(refused.headers["Date"]).timestamp()
    assert 295 <= left <= 302
    vend.control("POST", "clock", {"advance": 301})
    assert vend.refresh().status_code == 200


def test_a_limit_that_is_taken_away_is_not_told(vend: VendClient) -> None:
    vend.control("POST", "limits", {"vend": {"five_minutes": None}})
    assert "X-RateLimit-Limit" not in vend.call("GET", "2026-07/taxes").headers


# Errors


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("message", {"error": "Not Found", "message": "Product not found"}),
        ("details", {"error": "Not Found", "details": "Product not found"}),
        ("errors", {"errors": ["Product not found"]}),
        ("errors_object", {"errors": {"global": ["Product not found"]}}),
    ],
)
def test_shapes_of_errors(vend: VendClient, shape: str, expected: object) -> None:
    vend.switch(error_shape=shape)
    answer = vend.call("GET", "2026-07/products/0b5e7a00-1111-4000-8000-000000000001")
    assert (answer.status_code, answer.json()) == (404, expected)
    vend.fault("500")
    assert set(vend.call("GET", "2026-07/taxes").json()) == set(expected)  # type: ignore[call-overload]


def test_planted_faults_are_in_the_service_s_own_words(vend: VendClient) -> None:
    vend.fault("401")
    assert vend.call("GET", "2026-07/taxes").json()["error"] == "Unauthorized"
    vend.fault("502-html")
    answer = vend.call("GET", "2026-07/taxes")
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html; charset=utf-8")
    vend.fault("429")
    answer = vend.call("GET", "2026-07/taxes")
    assert wait_of(answer, answer.headers["Retry-After"]) > 290
    vend.fault("429", retry_after="date", seconds=-30)
    answer = vend.call("GET", "2026-07/taxes")
    assert wait_of(answer, answer.headers["Retry-After"]) <= -29
