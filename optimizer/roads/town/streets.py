"""What stands on the street plan: bends, cul-de-sacs, one-ways, limits, signals, names."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from optimizer.roads.town.names import name_streets
from optimizer.roads.town.plan import Plan
from optimizer.roads.town.ranks import PRIMARY, RESIDENTIAL, SECONDARY

Tags = dict[str, str]
_HIGHWAY = ("residential", "tertiary", "secondary", "primary")
_CENTRE = 0.25  # share of the radius
_MAX_ROUNDS = 50


@dataclass(frozen=True, eq=False)
class Town:
    """A town, ready to be written.

    Attributes:
        plan: its first nodes are the plan's junctions, its first ways the plan's streets.
        oneway: per street of the plan: only from its first to its second end.
        xy: (n, 2) metres east and north of the centre, per node.
        node_tags: of the nodes that have some.
        ways: nodes and tags of each.
    """

    plan: Plan
    oneway: NDArray[np.bool_]
    xy: NDArray[np.float64]
    node_tags: dict[int, Tags]
    ways: list[tuple[list[int], Tags]]


def furnish(rng: Generator, plan: Plan, radius_m: float) -> Town:
    """Put on a plan what makes it a town. No street is cut off for a 26 t truck."""
    share = np.linalg.norm(plan.xy[plan.ends].mean(axis=1), axis=1) / radius_m
    central = share < _CENTRE
    draw = rng.random(len(plan.ends))
    minor = plan.rank == RESIDENTIAL
    oneway = minor & (draw < np.where(central, 0.30, 0.05))
    living = minor & (draw >= 0.30) & (draw < 0.40)
    light = minor & (draw >= 0.40) & (draw < 0.415)
    exempt = minor & (draw >= 0.415) & (draw < 0.43)
    low = ~minor & (plan.rank < PRIMARY) & (draw < 0.02)
    oneway, (light, low) = _keep_reachable(plan, oneway, (light, low))
    tags = _street_tags(plan, oneway, living)
    for street in np.flatnonzero(light):
        tags[street]["maxweight"] = "3.5"
    for street in np.flatnonzero(exempt):
        tags[street]["hgv"] = "destination"
    for street in np.flatnonzero(low):
        tags[street]["maxheight"] = "3.2"
    node_tags = {int(node): {"highway": "traffic_signals"} for node in _signals(rng, plan)}
    bends = _bends(rng, plan)
    xy = np.vstack([plan.xy, *(points for _, points in bends)])
    ways = _ways(plan, tags, bends)
    return _with_cul_de_sacs(rng, Town(plan, oneway, xy, node_tags, ways))


def _keep_reachable(
    plan: Plan, oneway: NDArray[np.bool_], limits: tuple[NDArray[np.bool_], ...]
) -> tuple[NDArray[np.bool_], tuple[NDArray[np.bool_], ...]]:
    """Lift one-ways and limits wherever a truck could not get to a junction and back."""
    for _ in range(_MAX_ROUNDS):
        closed = np.logical_or.reduce(limits)
        both = plan.ends[~closed & ~oneway]
        directed = np.vstack([plan.ends[~closed & oneway], both, both[:, ::-1]])
        graph = coo_array(
            (np.ones(len(directed)), (directed[:, 0], directed[:, 1])), shape=(len(plan.xy),) * 2
        )
        _, part = connected_components(graph, connection="strong")
        lost = part != np.bincount(part).argmax()
        if not lost.any():
            break
        touched = lost[plan.ends].any(axis=1)
        oneway = oneway & ~touched
        limits = tuple(limit & ~touched for limit in limits)
    return oneway, limits


def _street_tags(plan: Plan, oneway: NDArray[np.bool_], living: NDArray[np.bool_]) -> list[Tags]:
    names = name_streets(plan)
    every = []
    for street, rank in enumerate(plan.rank.tolist()):
        tags = {"highway": _HIGHWAY[rank], "name": names[street]}
        if living[street]:
            tags["highway"] = "living_street"
        else:
            tags["maxspeed"] = "30" if rank == RESIDENTIAL else "50"
        if rank >= SECONDARY:
            tags["lanes"] = "2"
        if rank == PRIMARY:
            tags["priority_road"] = "designated"
        if oneway[street]:
            tags["oneway"] = "yes"
        every.append(tags)
    return every


def _signals(rng: Generator, plan: Plan) -> NDArray[np.int64]:
    """Choose the larger crossings that have traffic signals."""
    degree = np.bincount(plan.ends.ravel(), minlength=len(plan.xy))
    large = np.zeros(len(plan.xy), bool)
    large[plan.ends[plan.rank >= SECONDARY]] = True
    return np.flatnonzero(large & (degree >= 3) & (rng.random(len(large)) < 0.35))


def _bends(rng: Generator, plan: Plan) -> list[tuple[int, NDArray[np.float64]]]:
    """Return two points beside the straight line for most of the longer streets."""
    chosen = np.flatnonzero((plan.length_m > 60) & (rng.random(len(plan.ends)) < 0.6))
    start, end = plan.xy[plan.ends[chosen, 0]], plan.xy[plan.ends[chosen, 1]]
    along = end - start
    beside = np.column_stack([-along[:, 1], along[:, 0]])
    offset = rng.normal(0, 0.05, (len(chosen), 2))
    points = np.stack(
        [start + along * at + beside * offset[:, [k]] for k, at in enumerate((0.33, 0.66))], axis=1
    )
    return list(zip(chosen.tolist(), points, strict=True))


def _ways(
    plan: Plan, tags: list[Tags], bends: list[tuple[int, NDArray[np.float64]]]
) -> list[tuple[list[int], Tags]]:
    first = len(plan.xy)
    between = {
        street: [first + 2 * number, first + 2 * number + 1]
        for number, (street, _) in enumerate(bends)
    }
    return [
        ([start, *between.get(street, []), end], tags[street])
        for street, (start, end) in enumerate(plan.ends.tolist())
    ]


def _with_cul_de_sacs(rng: Generator, town: Town) -> Town:
    """Add short dead ends from bends of residential streets, into the block beside them."""
    length_m = town.plan.length_m
    draw = rng.random(len(town.ways))
    points: list[NDArray[np.float64]] = []
    ways, node_tags = list(town.ways), dict(town.node_tags)
    for street, (nodes, tags) in enumerate(town.ways):
        if len(nodes) < 4 or length_m[street] < 80 or draw[street] > 0.16 or "lanes" in tags:
            continue
        side, share, circle = rng.choice((-1.0, 1.0)), rng.uniform(0.2, 0.35), rng.random()
        if "maxweight" in tags or "maxheight" in tags:
            continue  # a truck could not get to its end
        start, corner, end = (town.xy[nodes[at]] for at in (0, 1, -1))
        beside = np.array([start[1] - end[1], end[0] - start[0]]) / length_m[street]
        node = len(town.xy) + len(points)
        points.append(corner + beside * side * min(90.0, share * length_m[street]))
        if circle < 0.6:
            node_tags[node] = {"highway": "turning_circle"}
        name = f"{tags['name']} (Stich)"
        ways.append(([nodes[1], node], {"highway": "residential", "maxspeed": "30", "name": name}))
    return Town(town.plan, town.oneway, np.vstack([town.xy, *points]), node_tags, ways)
