"""Receipts for units, news for consoles, and waits that grow."""

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ingest.backoff import Backoff
from ingest.news import News
from ingest.receipts import ranges


@given(st.lists(st.integers(0, 60)))
def test_ranges_cover_exactly_the_numbers(numbers: list[int]) -> None:
    """Nothing that is not stored is ever acknowledged, and nothing stored is forgotten."""
    covered = [n for first, last in ranges(numbers) for n in range(first, last + 1)]
    assert covered == sorted(set(numbers))


@given(st.lists(st.integers(0, 60), min_size=1))
def test_ranges_are_as_few_as_possible(numbers: list[int]) -> None:
    """Neighbouring numbers share a range: a long tour is acknowledged in a few bytes."""
    assert all(right[0] > left[1] + 1 for left, right in pairwise(ranges(numbers)))


def test_waits_grow_to_a_cap_and_start_anew() -> None:
    """Doubling from the first wait up to the cap, with jitter; after success from the start."""
    backoff = Backoff(first_s=1.0, cap_s=8.0, rng=random.Random(1))
    waits = [backoff.next_s() for _ in range(100)]
    assert all(
        limit / 2 <= wait <= limit for wait, limit in zip(waits, (1, 2, 4, *[8] * 97), strict=True)
    )
    assert len(set(waits)) == 100
    backoff.reset()
    assert backoff.next_s() <= 1.0


def test_news_wait_for_their_turn_and_are_told_once() -> None:
    """The first batch is told at once; what comes within the pause is told together after it."""
    now_s = 0.0
    news = News(pause_s=0.5, monotonic=lambda: now_s)
    assert news.due() == {}
    news.said()
    for count in (2, 3):
        assert news.due() is None
        news.add({"position": count})
    assert news.overdue() == {}
    now_s = 0.5
    assert news.due() == news.overdue() == {"position": 5}
    news.said()
    now_s = 9
    assert news.overdue() == {}
