"""A region of one depot, two trucks and three containers, written by hand."""

from datetime import time

from config.region import (
    Compartment,
    Container,
    Depot,
    Facility,
    Fraction,
    Hours,
    Region,
    Retention,
    Roads,
    RuleProfile,
    Service,
    Site,
    Vehicle,
)

GLASS = ("glass-white", "glass-green")


def small_region(region: str = "town", prefix: str = "") -> Region:
    """Return the region; `prefix` makes all its ids different."""
    return Region(
        id=region,
        name="Town",
        zone="Europe/Berlin",
        roads=Roads(centre_lon=8.5, centre_lat=52.0),
        retention=Retention(purpose="dispatch", positions_days=14),
        fractions=tuple(
            Fraction(
                id=name,
                name_de=name,
                name_en=name,
                container_kg_per_m3=300,
                truck_kg_per_m3=400,
            )
            for name in GLASS
        ),
        services=(
            Service(
                id="glass",
                name_de="Glas",
                name_en="Glass",
                fractions=GLASS,
                rule_profile=RuleProfile.EU561,
                site_s=60,
                container_s=120,
                overflow_eur_per_day=20,
                calendar_days=10,
            ),
        ),
        depots=(Depot(id=f"{prefix}yard", name="Yard", lon=8.5, lat=52.0),),
        facilities=(
            Facility(
                id=f"{prefix}works",
                name="Works",
                lon=8.6,
                lat=52.0,
                accepts=GLASS,
                hours=(Hours(opens=time(7), closes=time(17)),),
                unload_s=900,
            ),
        ),
        vehicles=tuple(_vehicle(f"{prefix}truck-{number}", f"{prefix}yard") for number in (1, 2)),
        sites=(Site(id=f"{prefix}square", name="Square", lon=8.51, lat=52.01),),
        containers=tuple(
            Container(
                id=f"{prefix}bin-{number}",
                site=f"{prefix}square",
                fraction=GLASS[number % 2],
                volume_l=3000,
                sensor=f"{prefix}eye-{number}" if number < 3 else None,
            )
            for number in (1, 2, 3)
        ),
    )


def _vehicle(name: str, depot: str) -> Vehicle:
    return Vehicle(
        id=name,
        name=name,
        depot=depot,
        services=("glass",),
        payload_kg=9000,
        compartments=(Compartment(fractions=GLASS, capacity_l=30_000, capacity_kg=9000),),
        shift_start=time(6),
        shift_end=time(15),
        eur_per_h=60,
        eur_per_km=1,
    )
