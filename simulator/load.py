"""What a truck carries: weight and volume by compartment."""

from collections.abc import Sequence

from config.region import Region, Vehicle


class Load:
    """A truck's load; its limits are those of its compartments and its payload."""

    def __init__(self, vehicle: Vehicle, region: Region) -> None:
        self._vehicle = vehicle
        self._fraction = region.fraction_by_id
        self._kg: dict[str, float] = {}

    def takes(self, fraction: str, kg: float) -> bool:
        """Whether this much more of a fraction fits in."""
        for compartment in self._vehicle.compartments:
            if fraction in compartment.fractions:
                held = {name: self._kg.get(name, 0.0) for name in compartment.fractions}
                held[fraction] += kg
                return (
                    sum(held.values()) <= compartment.capacity_kg
                    and sum(map(self._litres, held, held.values())) <= compartment.capacity_l
                    and sum(self._kg.values()) + kg <= self._vehicle.payload_kg
                )
        return False

    def add(self, fraction: str, kg: float) -> None:
        """Take more of a fraction."""
        self._kg[fraction] = self._kg.get(fraction, 0.0) + kg

    def unload(self, fractions: Sequence[str]) -> float:
        """Empty the truck of some fractions; return their weight."""
        return sum(self._kg.pop(fraction, 0.0) for fraction in fractions)

    def _litres(self, fraction: str, kg: float) -> float:
        return kg / self._fraction[fraction].truck_kg_per_m3 * 1000
