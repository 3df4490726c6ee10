"""Places what nobody has surveyed: sites and containers by a seeded generator.

Sites lie beside streets, denser where there are more streets, and keep a distance from each
other. Everything placed here is marked `synthetic`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from config.errors import RegionError, RoadsError
from config.region import Container, Site
from config.region_containers import GEOJSON
from config.region_defaults import load_defaults
from config.region_folder import load_region
from config.region_write import write_containers
from jobs.region_streets import Streets, numbered
from optimizer.roads.source import roads_of

CONTAINERS_PER_SITE = 2.7  # 730 at 270 sites in Bielefeld, 754 at 282 in Bochum
_LEAST = 2  # containers of a site


@dataclass(frozen=True)
class Scatter:
    """What is to be placed.

    Attributes:
        fractions: of a site's first, second, ... container; then from the first again.
        volumes_l: sizes of a container.
        taken: (k, 2) lon, lat of sites that are there already.
    """

    sites: int
    containers: int
    fractions: Sequence[str]
    volumes_l: Sequence[int]
    seed: int
    prefix: str = "s"
    taken: Sequence[tuple[float, float]] = ()


def scatter(streets: Streets, wanted: Scatter) -> tuple[list[Site], list[Container]]:
    """Place sites with containers; the same seed gives the same ones.

    Raises:
        RoadsError: the streets are too short for so many sites.
    """
    rng = np.random.default_rng(wanted.seed)
    places = [streets.beside(index) for index in _spread(streets, wanted, rng)]
    names = numbered([streets.name_near(*place) or "Standort" for place in places])
    sites = [
        Site(id=f"{wanted.prefix}{n:03d}", name=name, lon=lon, lat=lat, synthetic=True)
        for n, (name, (lon, lat)) in enumerate(zip(names, places, strict=True), start=1)
    ]
    return sites, _fill_sites(sites, wanted, rng)


def scatter_region(folder: Path, sites: int, containers: int, seed: int, data_dir: Path) -> None:
    """Write a region folder's containers anew: those of its first service.

    Args:
        folder: has everything but the containers.
        sites: how many.
        containers: how many in all.
        seed: the same one gives the same file.
        data_dir: where extracts and generated towns are kept.

    Raises:
        RegionError: the folder has mistakes.
        RoadsError: its roads cannot be used.
    """
    region = load_region(str(folder), containers=False)
    service = region.services[0]
    wanted = Scatter(
        sites=sites,
        containers=containers,
        fractions=service.fractions,
        volumes_l=load_defaults().volumes_l.get(service.id, (1100,)),
        seed=seed,
    )
    streets = Streets.of(roads_of(region, data_dir).extract)
    placed = scatter(streets, wanted)
    try:
        write_containers(folder / GEOJSON, *placed)
    except OSError as error:
        raise RegionError(str(folder), [f"cannot write {GEOJSON}: {error.strerror}"]) from None


def _spread(streets: Streets, wanted: Scatter, rng: np.random.Generator) -> list[int]:
    """Draw street points in random order, refusing those too near to one drawn before."""
    points = streets.metres
    if len(points) < wanted.sites:
        raise RoadsError(
            f"the streets have room for {len(points)} sites, not for {wanted.sites}; ask for fewer"
        )
    tree = cKDTree(points)
    extent_m = np.ptp(points, axis=0)
    spacing_m = 0.5 * float(np.sqrt(extent_m.prod() / wanted.sites))
    order = rng.permutation(len(points))
    while True:
        free = _free(tree, streets, wanted, spacing_m)
        drawn: list[int] = []
        for index in order.tolist():
            if free[index] and len(drawn) < wanted.sites:
                drawn.append(index)
                free[tree.query_ball_point(points[index], spacing_m)] = False
        if len(drawn) == wanted.sites:
            return drawn
        if not spacing_m:
            raise RoadsError(
                f"the streets have room for {len(drawn)} sites, not for {wanted.sites}; "
                "ask for fewer"
            )
        spacing_m *= 0.8 if spacing_m > 1 else 0.0


def _free(tree: cKDTree, streets: Streets, wanted: Scatter, spacing_m: float) -> NDArray[np.bool_]:
    free = np.ones(len(streets.lon_lat), bool)
    for place in wanted.taken:
        free[tree.query_ball_point(np.array(place) * streets.scale_m, spacing_m)] = False
    return free


def _fill_sites(
    sites: Sequence[Site], wanted: Scatter, rng: np.random.Generator
) -> list[Container]:
    """Give each site its first containers, and the rest to sites drawn by lot."""
    least = min(_LEAST, wanted.containers // len(sites))
    rest = wanted.containers - least * len(sites)
    counts = least + rng.multinomial(rest, np.full(len(sites), 1 / len(sites)))
    return [
        container_at(site, f"{site.id}-{number}", wanted, number - 1, rng)
        for site, count in zip(sites, counts.tolist(), strict=True)
        for number in range(1, count + 1)
    ]


def container_at(
    site: Site, name: str, wanted: Scatter, position: int, rng: np.random.Generator
) -> Container:
    """Return the container at a position of a site, with a size drawn by lot."""
    return Container(
        id=name,
        site=site.id,
        fraction=wanted.fractions[position % len(wanted.fractions)],
        volume_l=int(rng.choice(wanted.volumes_l)),
        sensor=f"lvl-{name}",
        synthetic=True,
    )
