"""Fields are found on the line on which they stand, however a file is laid out."""

import json
import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from config.region_lines import json_features, toml_lines
from config.region_source import FieldPath

TEXT = '''\
a = 1 # = [ {
"b.c" = "x = [" # quoted
d.e = [ # a list
  1.5, { f = "}", g = [2, 3] },
  """two
lines""", 07:30:00,
]
[t.u]
v = \'\'\'
w = 1\'\'\'
x = 2025-01-01 07:00:00
[[l]]
m = 1
[[l.n]]
o = 1
[[l.n]]
o = 2
[l.p]
q = true
[[l]]
m = 2
'''


def test_each_field_has_its_line() -> None:
    """Comments, quotes, dotted keys, nested and multi-line values do not mislead the finder."""
    assert toml_lines(TEXT) == {
        ("a",): 1, ("b.c",): 2, ("d",): 3, ("d", "e"): 3, ("d", "e", 0): 4, ("d", "e", 1): 4,
        ("d", "e", 1, "f"): 4, ("d", "e", 1, "g"): 4, ("d", "e", 1, "g", 0): 4,
        ("d", "e", 1, "g", 1): 4, ("d", "e", 2): 5, ("d", "e", 3): 6,
        ("t", "u"): 8, ("t", "u", "v"): 9, ("t", "u", "x"): 11,
        ("l",): 12, ("l", 0): 12, ("l", 0, "m"): 13,
        ("l", 0, "n"): 14, ("l", 0, "n", 0): 14, ("l", 0, "n", 0, "o"): 15,
        ("l", 0, "n", 1): 16, ("l", 0, "n", 1, "o"): 17,
        ("l", 0, "p"): 18, ("l", 0, "p", "q"): 19, ("l", 1): 20, ("l", 1, "m"): 21,
    }  # fmt: skip


def paths(value: Any, path: FieldPath = ()) -> set[FieldPath]:
    """Return the path of everything inside a parsed value."""
    if isinstance(value, list):
        value = dict(enumerate(value))
    items = value.items() if isinstance(value, dict) else []
    return {p for key, item in items for p in {(*path, key)} | paths(item, (*path, key))}


NAMES = st.text("abc-_ .#\"='[", max_size=4)
SCALARS = st.one_of(
    st.integers(),
    st.booleans().map(lambda flag: f"{flag}".lower()),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text("abc,]}[{=#\"'\\ \n", max_size=6),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


def inline(value: Any, gap: str) -> str:
    """Write a value as TOML; lists spread over lines when the gap is a new line."""
    if isinstance(value, dict):
        items = ", ".join(f"{json.dumps(k)} = {inline(v, gap)}" for k, v in value.items())
        return "{" + items + "}"
    if isinstance(value, list):
        return "[" + gap + f",{gap}".join(inline(item, gap) for item in value) + gap + "]"
    return json.dumps(value)


@given(
    st.lists(st.tuples(NAMES, st.dictionaries(NAMES, VALUES, max_size=3)), max_size=4),
    st.sampled_from([" ", "\n", " # ] }\n"]),
)
def test_no_field_is_missed(tables: list[tuple[str, dict[str, Any]]], gap: str) -> None:
    """The finder sees exactly the fields that the parser sees, on lines in order."""
    text = "".join(
        f"[[{json.dumps(name)}]]\n"
        + "".join(f"{json.dumps(key)} = {inline(value, gap)}\n" for key, value in table.items())
        for name, table in tables
    )
    lines = toml_lines(text)
    assert set(lines) == paths(tomllib.loads(text))
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())
    assert list(lines.values()) == sorted(lines.values())


@given(st.lists(VALUES, max_size=4), st.sampled_from([None, 2]))
def test_features_are_found_where_they_begin(features: list[Any], indent: int | None) -> None:
    """Each element of `features` comes with the line on which it begins, and with its text."""
    whole = {"name": {"features": [1]}, "features": features, "more": 1}
    text = json.dumps(whole, indent=indent)
    found = json_features(text)
    assert [value for value, _, _ in found] == features
    lines = text.split("\n")
    for _, line, part in found:
        assert lines[line - 1].strip().startswith(part.split("\n")[0]) or indent is None
