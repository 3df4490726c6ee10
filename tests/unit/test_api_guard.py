import pytest

from api.guard import is_loopback, require_safe_listener
from config.errors import SettingsError
from config.settings import load_settings


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        ("127.0.0.1", True),
        ("127.0.0.2", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104
        ("::", False),
        ("10.0.0.5", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_loopback_is_what_only_this_machine_reaches(host: str, alone: bool) -> None:
    """Anything that cannot be shown to be loopback is not."""
    assert is_loopback(host) is alone


def test_with_an_identity_provider_it_may_listen_anywhere() -> None:
    """Then everybody has to show a token."""
    settings = load_settings(oidc_issuer="https://id.example")
    require_safe_listener(settings, "0.0.0.0")  # noqa: S104


def test_without_one_it_may_not() -> None:
    """The message names the setting."""
    with pytest.raises(SettingsError, match="BINROUND_OIDC_ISSUER"):
        require_safe_listener(load_settings(), "0.0.0.0")  # noqa: S104
