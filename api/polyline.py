"""Reading a tour's way: a polyline with 6 decimals, as trucks get it."""


def decode(text: str) -> list[tuple[float, float]]:
    """Return the (lon, lat) points of an encoded line."""
    points: list[tuple[float, float]] = []
    lat = lon = position = 0
    while position < len(text):
        step, position = _number(text, position)
        lat += step
        step, position = _number(text, position)
        lon += step
        points.append((lon / 1e6, lat / 1e6))
    return points


def _number(text: str, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        part = ord(text[position]) - 63
        position += 1
        value |= (part & 0x1F) << shift
        shift += 5
        if part < 0x20:
            return (~(value >> 1) if value & 1 else value >> 1), position
