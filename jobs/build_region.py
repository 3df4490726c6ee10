"""Makes a region from any OpenStreetMap extract.

What the map says (recycling sites and what they collect) is taken from it; what it does not say
is placed by a seeded generator and marked `synthetic`; densities, times, costs and trucks come
from the shipped defaults, to be replaced by the operator's own.
"""

import re
import tempfile
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from config.errors import RegionError
from config.region import (
    ID_PATTERN,
    Container,
    Depot,
    Facility,
    Fraction,
    Region,
    Roads,
    Service,
    Site,
)
from config.region_defaults import DEPOT, Defaults, load_defaults
from config.region_folder import load_region
from config.region_write import write_region
from jobs.region_fleet import fleet
from jobs.region_osm import MappedSite, mapped_sites
from jobs.region_scatter import CONTAINERS_PER_SITE, Scatter, scatter
from jobs.region_streets import Streets, numbered
from optimizer.roads.osrm import SNAP_LIMIT_M
from optimizer.roads.source import OSM_ATTRIBUTION, OSM_LICENCE

_PLACED = "synthetic: placed by a seeded generator"
_GIVEN = "given when the region was built"

Place = tuple[float, float]


@dataclass(frozen=True)
class BuildRequest:
    """What a region is to be made of.

    Attributes:
        osm: an .osm.pbf.
        name: of the region; its id and the folder's default name are made from it.
        out: the folder to write; must not be there yet.
        containers: how many there shall be at least; None: only what the map says.
        depot: longitude and latitude; None: placed by the generator. Likewise `facility`.
    """

    osm: Path
    name: str
    out: Path
    containers: int | None = None
    depot: Place | None = None
    facility: Place | None = None
    seed: int = 1


def build_region(request: BuildRequest) -> Region:
    """Write a region's folder; it appears when it is complete and has been read back.

    Raises:
        RegionError: the request cannot be met; the message says why.
        RoadsError: the extract cannot be used.
    """
    _check_request(request)
    region = _compose(request, load_defaults())
    try:
        _write(region, request)
    except OSError as error:
        raise _impossible(request, f"cannot write {request.out}: {error.strerror}") from None
    return load_region(str(request.out))


def _write(region: Region, request: BuildRequest) -> None:
    request.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".region-", dir=request.out.parent) as work:
        folder = Path(work) / "region"
        folder.mkdir()
        write_region(region, folder, _comment(request))
        load_region(str(folder))
        folder.rename(request.out)


def _check_request(request: BuildRequest) -> None:
    if not re.fullmatch(ID_PATTERN, region_id(request.name)):
        raise _impossible(request, "--name needs a letter or digit, and at most 32 of them")
    if not request.osm.is_file():
        raise _impossible(request, f"no file {request.osm}; give an .osm.pbf with --osm")
    if request.out.exists():
        raise _impossible(request, f"{request.out} is there already; remove it or give another")


def region_id(name: str) -> str:
    """Make an id from a name: `Bad Dürkheim` -> `bad-durkheim`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _compose(request: BuildRequest, defaults: Defaults) -> Region:
    streets = Streets.of(request.osm)
    sites, containers = _mapped(request, streets, defaults)
    more_sites, more_containers = _generated(request, streets, defaults, sites, containers)
    sites, containers = [*sites, *more_sites], [*containers, *more_containers]
    if not containers:
        raise _impossible(request, "the extract has no recycling sites; add --containers N")
    fractions, services = _collected(containers, defaults)
    lon, lat = streets.centre
    return Region(
        id=region_id(request.name),
        name=request.name,
        zone=defaults.zone,
        licence=OSM_LICENCE,
        attribution=OSM_ATTRIBUTION,
        roads=Roads(extract=str(request.osm), centre_lon=lon, centre_lat=lat),
        retention=defaults.retention,
        fractions=tuple(fractions),
        services=tuple(services),
        depots=(_depot(request, streets),),
        facilities=(_facility(request, streets, defaults, fractions),),
        vehicles=tuple(fleet(defaults, services, sites, containers)),
        sites=tuple(sites),
        containers=tuple(containers),
        holidays=defaults.holidays,
    )


def _mapped(
    request: BuildRequest, streets: Streets, defaults: Defaults
) -> tuple[list[Site], list[Container]]:
    rng = np.random.default_rng([request.seed, 1])
    mapped = mapped_sites(request.osm, defaults.osm)
    names = numbered([_name(site, streets) for site in mapped])
    sites = [
        Site(id=f"osm-{site.ref}", name=name, lon=site.lon, lat=site.lat)
        for site, name in zip(mapped, names, strict=True)
    ]
    containers = [c for site in mapped for c in _containers(site, defaults, rng)]
    return sites, containers


def _name(site: MappedSite, streets: Streets) -> str:
    return site.name or streets.name_near(site.lon, site.lat) or f"OSM {site.ref}"


def _containers(
    site: MappedSite, defaults: Defaults, rng: np.random.Generator
) -> Iterable[Container]:
    """Yield a container for each fraction of a site; assumed ones where the map names none."""
    for fraction in site.fractions or defaults.untagged:
        name = f"{site.ref}-{fraction}"
        yield Container(
            id=name,
            site=f"osm-{site.ref}",
            fraction=fraction,
            volume_l=int(rng.choice(defaults.volumes_l[defaults.service_of(fraction).id])),
            sensor=f"lvl-{name}",
            synthetic=not site.fractions,
        )


def _generated(
    request: BuildRequest,
    streets: Streets,
    defaults: Defaults,
    sites: list[Site],
    containers: list[Container],
) -> tuple[list[Site], list[Container]]:
    missing = (request.containers or 0) - len(containers)
    if missing <= 0:
        return [], []
    service = defaults.service_of(defaults.untagged[0])
    wanted = Scatter(
        sites=max(1, round(missing / CONTAINERS_PER_SITE)),
        containers=missing,
        fractions=defaults.untagged,
        volumes_l=defaults.volumes_l[service.id],
        seed=request.seed,
        taken=[(site.lon, site.lat) for site in sites],
    )
    return scatter(streets, wanted)


def _collected(
    containers: list[Container], defaults: Defaults
) -> tuple[list[Fraction], list[Service]]:
    """Return the fractions that there are, and the services reduced to them."""
    present = {container.fraction for container in containers}
    services = [
        service.model_copy(
            update={"fractions": tuple(f for f in service.fractions if f in present)}
        )
        for service in defaults.services.values()
        if present & set(service.fractions)
    ]
    return [f for f in defaults.fractions.values() if f.id in present], services


def _depot(request: BuildRequest, streets: Streets) -> Depot:
    lon, lat, source = _place(request, streets, "depot", request.depot)
    return Depot(id=DEPOT, name="Depot", lon=lon, lat=lat, source=source)


def _facility(
    request: BuildRequest, streets: Streets, defaults: Defaults, fractions: list[Fraction]
) -> Facility:
    lon, lat, source = _place(request, streets, "facility", request.facility)
    return Facility(
        id="plant",
        name=defaults.facility.name,
        lon=lon,
        lat=lat,
        accepts=tuple(fraction.id for fraction in fractions),
        hours=defaults.facility.hours,
        unload_s=defaults.facility.unload_s,
        source=source,
    )


def _place(
    request: BuildRequest, streets: Streets, option: str, given: Place | None
) -> tuple[float, float, str]:
    """Return a place as given, or one beside a street, somewhat out of the centre."""
    if given is None:
        rng = np.random.default_rng([request.seed, 2, len(option)])
        from_centre = np.hypot(*(streets.metres - streets.metres.mean(axis=0)).T)
        low, high = np.quantile(from_centre, [0.6, 0.8])
        outside = np.flatnonzero((from_centre >= low) & (from_centre <= high))
        return *streets.beside(int(rng.choice(outside))), _PLACED
    gap_m = streets.distance_m(*given)
    if gap_m > SNAP_LIMIT_M:
        lon, lat = given
        raise _impossible(
            request,
            f"--{option} {lon},{lat} is {gap_m / 1000:.1f} km from the nearest road of the "
            "extract; give LON,LAT of a place inside it",
        )
    return *given, _GIVEN


def _comment(request: BuildRequest) -> str:
    return (
        f"Made by `binround region build` from {request.osm.name}, seed {request.seed}.\n"
        f"Streets and recycling sites: {OSM_ATTRIBUTION}, {OSM_LICENCE}.\n"
        "Volumes, fill rates, densities, times, costs, trucks and hours are binround's defaults\n"
        "(sources in config/region_defaults.toml): replace them by your own. Holidays are those\n"
        "of all of Germany; add your own."
    )


def _impossible(request: BuildRequest, message: str) -> RegionError:
    return RegionError(request.name, [message])
