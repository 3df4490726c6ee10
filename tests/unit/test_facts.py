"""What the engines know about a problem: which limits of a trip can bind."""

import dataclasses

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from optimizer.solve.facts import Facts, binding_limits
from optimizer.solve.route import Builder
from optimizer.solve.search import Search
from optimizer.solve.trip_model import trip_model
from tests.fixtures.problems import single_trip_day

ROWS = st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=1, max_size=6)


@given(needs=ROWS, limits=st.lists(st.integers(0, 12), min_size=3, max_size=3), data=st.data())
def test_limits_that_can_bind_say_the_same_as_all(
    needs: list[list[int]], limits: list[int], data: st.DataObject
) -> None:
    """Whatever is loaded together fits by all limits just where it fits by those kept."""
    loaded = data.draw(st.lists(st.sampled_from(range(len(needs))), unique=True))
    held = np.array(needs)[loaded].sum(axis=0)
    fits = held <= np.array(limits)
    kept = binding_limits(limits, needs)
    assert bool(fits.all()) == bool(fits[kept].all())


def test_limits_said_twice_are_asked_once() -> None:
    """Payload, the only compartment and the day's kilograms of one trip are one limit."""
    problem = single_trip_day(30, 1)
    trucks = []
    for truck in problem.trucks:
        body = dataclasses.replace(truck.compartments[0], capacity_kg=4000.0, capacity_l=1e9)
        trucks.append(
            dataclasses.replace(
                truck, payload_kg=4000.0, max_kg=4000.0, max_litres=None, compartments=(body,)
            )
        )
    facts = Facts(problem.replace(trucks=tuple(trucks)))
    assert [len(kind.capacity) for kind in facts.kinds] == [1] * len(trucks)
    start = [route for route in Search(Builder(facts), 1).construct().routes if route]
    model = trip_model(facts, start, range(facts.visits))
    assert model is not None
    names = model.routing.GetAllDimensionNames()
    assert [name for name in names if name != "time"] == ["load 0"]
