"""Runs a what-if study from its file to its report."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from config.errors import SettingsError
from config.settings import Settings
from optimizer.roads import open_roads
from simulator.studies.base import Base, region_of
from simulator.studies.campaign import run_campaign
from simulator.studies.report import write_report
from simulator.studies.results import Results
from simulator.studies.scenario import Scenario, load_scenario

REPORT = "report.html"
RESULTS = "results.json"


@dataclass(frozen=True)
class Study:
    """A study that is ready to run.

    Attributes:
        out: folder of its report.
        data_dir: where road graphs are kept.
        workers: processes; 0: one for each processor.
    """

    scenario: Scenario
    out: Path
    data_dir: Path
    osrm_url: str = ""
    workers: int = 0

    @classmethod
    def of(
        cls,
        name_or_file: str,
        settings: Settings,
        out: Path | None = None,
        seeds: int | None = None,
        workers: int = 0,
    ) -> Self:
        """Read a scenario and decide where its report goes.

        Raises:
            FileFormatError: the file is missing or wrong.
        """
        scenario = load_scenario(name_or_file)
        if seeds is not None:
            scenario = scenario.model_copy(update={"seeds": seeds})
        folder = out or settings.data_dir / "studies" / Path(name_or_file).stem
        return cls(scenario, folder, settings.data_dir, settings.osrm_url, workers)

    @property
    def seeds(self) -> range:
        """The worlds."""
        return range(self.scenario.first_seed, self.scenario.first_seed + self.scenario.seeds)

    @property
    def total(self) -> int:
        """How many replications it has."""
        return len(self.seeds) * len(self.scenario.policies)


def run_study(study: Study, progress: Callable[[str], None] = lambda _: None) -> Path:
    """Run a study; write its report and results when all is done.

    Args:
        study: what to run.
        progress: called with a short text after each replication.

    Returns:
        the path of the report.
    """
    _writable(study.out)
    began = time.monotonic()
    scenario = study.scenario
    region, service = region_of(scenario)
    roads = open_roads(region, study.data_dir, osrm_url=study.osrm_url)
    base = Base.of(region, service, roads)
    prepared = time.monotonic()
    outcomes = []
    for outcome in run_campaign(base, scenario, study.seeds, study.workers):
        outcomes.append(outcome)
        progress(f"{outcome.policy}, world {outcome.seed}")
    results = Results.of(scenario, base, outcomes)
    played = time.monotonic()
    write_report(results, study.out / REPORT)
    timings = {"prepare_s": prepared - began, "play_s": played - prepared}
    results.write_json(study.out / RESULTS, timings)
    return study.out / REPORT


def _writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"cannot write to {folder} ({error.strerror}); give another --out"
        ) from None
