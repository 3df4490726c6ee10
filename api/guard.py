"""Who may reach us at all: the loopback rule, host names, foreign pages, and response headers."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import FORBIDDEN, MISDIRECTED, TOO_LARGE, respond
from config.errors import SettingsError
from config.settings import Settings

_LOOPBACK_NAMES = {"localhost", "127.0.0.1", "::1"}
_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "font-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def is_loopback(host: str) -> bool:
    """Whether a host to listen on can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def require_safe_listener(settings: Settings, host: str) -> None:
    """Refuse to be reachable by others while nobody can prove who they are.

    Raises:
        SettingsError: the host is not loopback and no identity provider is configured.
    """
    if not settings.oidc_issuer and not is_loopback(host):
        raise SettingsError(
            f"the API will not listen on {host} without an identity provider: "
            "set BINROUND_OIDC_ISSUER, or listen on 127.0.0.1"
        )


class LoopbackOnly:
    """Answers for loopback host names only, against DNS rebinding, and to no foreign page.

    A page of another origin could otherwise let the browser of a dispatcher read or change what
    this machine alone may reach.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer it with a problem."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            if _host_name(headers.get("host", "")) not in _LOOPBACK_NAMES:
                return await respond(MISDIRECTED)(scope, receive, send)
            if scope["method"] not in _SAFE_METHODS and _is_foreign(headers):
                return await respond(FORBIDDEN, "This request comes from another website.")(
                    scope, receive, send
                )
        return await self.app(scope, receive, send)


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_foreign(headers: Headers) -> bool:
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host"):
        return True
    return headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}


class SizeLimit:
    """Refuses a body that says it is too large, before any of it is read.

    One that does not say is cut off by the router's own `max_body_size`.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or answer it with a problem."""
        if scope["type"] == "http":
            length = Headers(scope=scope).get("content-length", "0")
            if length.isdecimal() and int(length) > self.limit:
                return await respond(TOO_LARGE)(scope, receive, send)
        return await self.app(scope, receive, send)


class SecurityHeaders:
    """Adds the headers that keep the console to its own origin."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete the headers of its response."""

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/v1/"):
                    headers.setdefault("Cache-Control", "no-cache")
            await send(message)

        await self.app(scope, receive, complete if scope["type"] == "http" else send)
