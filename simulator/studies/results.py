"""A study's results: figures first, then everything they came from.

The same seeds give the same bytes, apart from `timings`.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from optimizer.road_times import ProviderInfo
from simulator.studies.base import Base
from simulator.studies.kpis import Interval, differences, means
from simulator.studies.replication import Outcome
from simulator.studies.scenario import Scenario


@dataclass(frozen=True)
class Results:
    """What a study found.

    Attributes:
        outcomes: by policy in the scenario's order, then by seed.
        summary: by policy and figure.
        differences: from the scenario's baseline, by policy and figure, in pairs of one world.
    """

    scenario: Scenario
    region: str
    containers: int
    sites: int
    seeds: tuple[int, ...]
    provider: ProviderInfo
    outcomes: dict[str, list[Outcome]]
    summary: dict[str, dict[str, Interval]]
    differences: dict[str, dict[str, Interval]]

    @classmethod
    def of(cls, scenario: Scenario, base: Base, outcomes: Sequence[Outcome]) -> "Results":
        """Order outcomes and work out means and differences."""
        names = [policy.name for policy in scenario.policies]
        by_policy = {
            name: sorted((o for o in outcomes if o.policy == name), key=lambda o: o.seed)
            for name in names
        }
        worlds = {name: [o.figures for o in by_policy[name]] for name in names}
        baseline = worlds[scenario.compared_with]
        return cls(
            scenario=scenario,
            region=base.region.name,
            containers=len(base.region.containers),
            sites=len(base.region.sites),
            seeds=tuple(outcome.seed for outcome in by_policy[names[0]]),
            provider=base.info,
            outcomes=by_policy,
            summary={name: means(worlds[name]) for name in names},
            differences={
                name: differences(worlds[name], baseline)
                for name in names
                if name != scenario.compared_with
            },
        )

    def write_json(self, path: Path, timings: dict[str, float]) -> None:
        """Write everything, in the order of this class."""
        content: dict[str, Any] = {
            "scenario": self.scenario.model_dump(mode="json"),
            "region": self.region,
            "containers": self.containers,
            "sites": self.sites,
            "seeds": self.seeds,
            "provider": asdict(self.provider),
            "summary": _plain(self.summary),
            "baseline": self.scenario.compared_with,
            "differences": _plain(self.differences),
            "replications": [
                asdict(outcome) for outcomes in self.outcomes.values() for outcome in outcomes
            ],
            "timings": timings,
        }
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _plain(by_policy: dict[str, dict[str, Interval]]) -> dict[str, dict[str, Any]]:
    return {
        policy: {name: asdict(figure) for name, figure in figures.items()}
        for policy, figures in by_policy.items()
    }
