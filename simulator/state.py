"""What the city remembers between two starts."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ValidationError

from config.errors import FileFormatError


class CityState(BaseModel):
    """The world's past, in seconds since 1970.

    Attributes:
        region, seed: of which world this is; another one needs another folder.
        origin: ISO date on which the world begins.
        began: ISO date of the first start; before it, trucks followed a calendar.
        told_until: everything before it has been told.
        emptied: which container was emptied when.
        started: when each tour (`tour/revision`) left its depot.
    """

    region: str
    seed: int
    origin: str
    began: str
    told_until: float
    emptied: list[tuple[str, float]] = []
    started: dict[str, float] = {}

    @classmethod
    def read(cls, path: Path, region: str, seed: int) -> Self | None:
        """Read a saved state; None if there is none.

        Raises:
            FileFormatError: it is of another world, or cannot be read.
        """
        if not path.exists():
            return None
        try:
            state = cls.model_validate_json(path.read_bytes())
        except ValidationError:
            raise FileFormatError(f"{path}: not a city's state; give another --state") from None
        if (state.region, state.seed) != (region, seed):
            raise FileFormatError(
                f"{path}: the state of region {state.region} with seed {state.seed}; "
                "give that seed, or another --state"
            )
        return state

    def save(self, path: Path) -> None:
        """Write it beside and swap, so that there is always a whole one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.write_text(self.model_dump_json())
        draft.replace(path)
