"""The earth, a sphere: near enough for an area of a city."""

RADIUS_M = 6_371_008.8
M_PER_DEGREE = 111_195.0  # of latitude
