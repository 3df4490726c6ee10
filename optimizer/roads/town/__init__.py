"""A plausible town as an OpenStreetMap extract, for machines without map data.

Districts around nuclei, radial roads and rings, a centre with one-way streets, cul-de-sacs,
living streets, limits of weight and height, turn restrictions, traffic signals, street names.
The same seed gives the same bytes. Every street without a limit can be reached and left again
by a 26 t truck.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from config.errors import RoadsError
from optimizer.roads.town.doors import with_doors
from optimizer.roads.town.frame import Frame
from optimizer.roads.town.pbf import write_pbf
from optimizer.roads.town.plan import plan_streets
from optimizer.roads.town.streets import furnish
from optimizer.roads.town.turns import forbid_turns

VERSION = 4
"""Part of a town's file name; goes up when the same seed would give another town."""

BLOCKS = 1350  # about 4,000 ways


def write_town(
    path: Path,
    seed: int,
    radius_m: float,
    centre_lon: float,
    centre_lat: float,
    *,
    doors: Sequence[tuple[float, float]] = (),
    blocks: int = BLOCKS,
) -> None:
    """Write a town as .osm.pbf; the file appears when it is complete.

    Args:
        path: ends in `.osm.pbf`; its folder is made.
        seed: the town.
        radius_m: of its road network.
        centre_lon: WGS84.
        centre_lat: WGS84.
        doors: (lon, lat) of places that get an access road of their own; the streets of the
            town do not depend on them.
        blocks: how many blocks of houses; there are about 3 ways to each.

    Raises:
        RoadsError: the file cannot be written.
    """
    rng = np.random.default_rng(seed)
    frame = Frame(centre_lon, centre_lat)
    town = furnish(rng, plan_streets(rng, radius_m, blocks), radius_m)
    restrictions = forbid_turns(rng, town)
    town = with_doors(town, frame.to_xy(np.array(doors, float).reshape(-1, 2)))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".town-", dir=path.parent) as folder:
            work = Path(folder) / "town.osm.pbf"
            write_pbf(work, town, restrictions, frame)
            work.replace(path)
    except OSError as error:
        raise RoadsError(
            f"cannot write {path} ({error.strerror}); set BINROUND_DATA_DIR to a folder that "
            "can be written"
        ) from None
