"""OSRM over HTTP, for scale-out: `osrm-routed --algorithm mld` on a graph of the truck profile."""

import weakref
from typing import Any
from urllib.parse import quote

import httpx

from config.errors import RoadsError
from optimizer import polyline
from optimizer.road_times import Places, ProviderInfo
from optimizer.roads.osrm import NOT_FOUND, Answer
from optimizer.roads.source import OSM_ATTRIBUTION


class HttpEngine:
    """A running osrm-routed, started with `--max-table-size 200` or more."""

    block = 100  # both sides of a table fit into a URL and into a usual limit

    def __init__(self, url: str, timeout_s: float = 60.0) -> None:
        self._url = url.rstrip("/")
        self._client = httpx.Client(timeout=timeout_s, trust_env=False)
        weakref.finalize(self, self._client.close)  # TravelTimes are never closed by their users

    def ask(
        self, service: str, places: Places, radii_m: list[float | None], **options: Any
    ) -> Answer | None:
        """Answer as `optimizer.roads.osrm.Engine` says."""
        parameters = {name: _text(value) for name, value in options.items()}
        parameters["radiuses"] = ";".join("unlimited" if r is None else f"{r:g}" for r in radii_m)
        parameters["generate_hints"] = "false"
        if places.curb.any():
            parameters["approaches"] = ";".join("curb" if curb else "" for curb in places.curb)
        line = quote(f"polyline6({polyline.encode(places.lon_lat)})", safe="()")
        answer = self._get(f"{self._url}/{service}/v1/driving/{line}", parameters)
        code = answer.get("code", "an answer without a code")
        if code in NOT_FOUND:
            return None
        if code != "Ok":
            raise RoadsError(
                f"the road engine at {self._url} refuses a {service} request: {code} - "
                f"{answer.get('message', '')}"
            )
        return answer

    def _get(self, address: str, parameters: dict[str, str]) -> Answer:
        try:
            answer: Answer = self._client.get(address, params=parameters).json()
        except (httpx.HTTPError, ValueError) as error:
            raise RoadsError(
                f"no road engine answers at {self._url} ({error or type(error).__name__}); start "
                "osrm-routed there or correct BINROUND_OSRM_URL"
            ) from None
        return answer


def http_info(url: str) -> ProviderInfo:
    """Say where the figures come from; a server does not tell what graph it has."""
    return ProviderInfo("osrm-http", "", "truck", url, estimate=False, attribution=OSM_ATTRIBUTION)


def _text(value: Any) -> str:
    """Write an option as OSRM reads it in a URL."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        separator = "," if value and isinstance(value[0], str) else ";"
        return separator.join(str(item) for item in value)
    return str(value)
