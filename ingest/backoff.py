"""How long to wait before trying again."""

import random


class Backoff:
    """Waits that double up to a cap, with jitter, so that many do not come back at once."""

    def __init__(
        self, first_s: float = 0.25, cap_s: float = 30.0, rng: random.Random | None = None
    ) -> None:
        self._first_s = first_s
        self._cap_s = cap_s
        self._rng = rng or random.Random()  # noqa: S311  spreads load, is no secret
        self._failures = 0

    def next_s(self) -> float:
        """Return the next wait: between half and all of `first_s` * 2^failures, at most the cap."""
        wait_s = min(self._cap_s, self._first_s * 2.0 ** min(self._failures, 30))
        self._failures += 1
        return wait_s * self._rng.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Begin with the first wait again: it worked."""
        self._failures = 0
