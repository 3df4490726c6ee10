"""How many of what, as people write it."""


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number and what it counts: 1 vehicle, 2 vehicles; `many` where an s is wrong."""
    return f"{number} {one if number == 1 else many or one + 's'}"
