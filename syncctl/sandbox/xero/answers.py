"""The answers that are no records.

developer.xero.com/documentation/api/accounting/responsecodes names the statuses; the shapes follow
answers that clients have recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from .. import wire
from ..messages import Response, json_response

if TYPE_CHECKING:
    from ..wire import JsonObject

_TITLES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 409: "Conflict"}
_NOT_FOUND = b"<html><head><title>404</title></head><body>The resource you're looking for cannot be found</body></html>"
HTML_TYPE = "text/html; charset=utf-8"
TEXT_TYPE = "text/plain; charset=utf-8"
FORBIDDEN = "AuthenticationUnsuccessful"


class Refused(Exception):  # noqa: N818 - an answer, not an accident
    """Ends a request with the answer it carries."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def problem(status: int, detail: str, challenge: str | None = None) -> Response:
    """A refused token or tenant, with a `WWW-Authenticate` header when there is a challenge."""
    body: JsonObject = {
        "Type": None,
        "Title": _TITLES.get(status, "Error"),
        "Status": status,
        "Detail": detail,
        "Instance": str(uuid4()),
        "Extensions": {},
    }
    response = json_response(wire.dumps(body), status)
    return response.with_header("WWW-Authenticate", challenge) if challenge else response


def forbidden() -> Response:
    """The organisation is not connected to the app, or the tenant header is missing or wrong."""
    return problem(403, FORBIDDEN)


def not_found() -> Response:
    """Nothing under this path: a page of HTML, never JSON."""
    return Response(404, _NOT_FOUND, HTML_TYPE)


def too_long(status: int) -> Response:
    """A query that is too long; which status it gets is unconfirmed by the vendor."""
    return Response(status, b"<html><body>The request is too long</body></html>", HTML_TYPE)


def not_implemented() -> Response:
    """The vendor's 501, "Not Implemented": this resource does not know the method."""
    return Response(501, b"The method you are using is not implemented", TEXT_TYPE)


def unavailable() -> Response:
    """Maintenance: plain text, whatever was accepted."""
    return Response(503, b"The Xero API is currently offline for maintenance", TEXT_TYPE)


def server_error() -> Response:
    """The vendor's own failure; its body is no JSON."""
    return Response(500, b"Internal Server Error", TEXT_TYPE)


def bad_since() -> Response:
    """A condition in a header that cannot be read; that it gets the vendor's 412 is unconfirmed."""
    return Response(412, b"Precondition Failed", TEXT_TYPE)


def bad_filter(message: str) -> Response:
    """A `where` that cannot be parsed; its number 16 is unconfirmed by the vendor."""
    body = {"ErrorNumber": 16, "Type": "QueryParseException", "Message": message}
    return json_response(wire.dumps(body), 400)


def bad_data(message: str) -> Response:
    """A body that cannot be read as what it should be: the request as a whole fails."""
    body = {"ErrorNumber": 14, "Type": "PostDataInvalidException", "Message": message}
    return json_response(wire.dumps(body), 400)


def no_data(resource: str) -> Response:
    """A body without any element; its number 17 is unconfirmed by the vendor."""
    message = f"No data has been processed: {resource} were expected in the body of the request."
    return json_response(wire.dumps({"ErrorNumber": 17, "Type": "NoDataProcessedException", "Message": message}), 400)


def invalid(elements: list[JsonObject]) -> Response:
    """Some elements break the rules; only those are told."""
    head = {"ErrorNumber": 10, "Type": "ValidationException", "Message": "A validation exception occurred"}
    return json_response(wire.dumps({**head, "Elements": elements}), 400)


def oauth_error(error: str) -> Response:
    """An error of the token endpoint; the vendor mostly leaves the description out."""
    return json_response(wire.dumps({"error": error}), 400)
