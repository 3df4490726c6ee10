"""MQTT topic filters: whether one is well formed, and which topics it lets through (3.1.1, 4.7)."""

LONGEST_BYTES = 65_535


def filter_problem(topic_filter: str) -> str:
    """Return what is wrong with a filter; nothing when a broker will take it."""
    if not topic_filter:
        return "is empty"
    if "\0" in topic_filter or len(topic_filter.encode(errors="replace")) > LONGEST_BYTES:
        return f"holds a NUL, or more than {LONGEST_BYTES} bytes"
    *before, last = topic_filter.split("/")
    if any("#" in level for level in before) or ("#" in last and last != "#"):
        return "# stands for all levels below, so it is the last level and alone in it"
    if any("+" in level and level != "+" for level in (*before, last)):
        return "+ stands for one whole level, so it is alone in it"
    return ""


def lets_through_only(topic_filter: str, shapes: tuple[str, ...]) -> bool:
    """Whether every topic that a filter matches also matches one of the shapes."""
    levels = topic_filter.split("/")
    return any(_within(levels, shape.split("/")) for shape in shapes)


def _within(levels: list[str], shape: list[str]) -> bool:
    if shape[:1] == ["#"]:  # any levels: what is left of the shape has to end the filter
        rest = shape[1:]
        tail = levels[len(levels) - len(rest) :] if rest else []
        return len(levels) >= len(rest) and (not rest or _within(tail, rest))
    if not levels or not shape:
        return levels == shape
    fits = levels[0] == shape[0] or (shape[0] == "+" and levels[0] != "#")
    return fits and _within(levels[1:], shape[1:])
