"""From what is stored to what is said."""

from datetime import datetime
from typing import Any

from api import schemas
from config.region import Depot, Facility, Region
from optimizer.formats.event_json import parse_event
from storage.assets import Credentials
from storage.console import ContainerState, TourState, VehicleState
from storage.devices import Entry
from storage.plans import PlanRecord, PlanSummary, StopRecord, TourRecord
from storage.replans import ReplanRecord

# What is told of a proposal as it is kept.
_TOLD = ("moved", "reordered", "undone", "cancelled", "notes", "eur_before", "eur_after",
         "price_on_change_eur", "others_share")  # fmt: skip


def region(facts: Region, attribution: str) -> schemas.Region:
    """Describe a region; its bounds hold all sites, depots and facilities."""
    at = [(site.lon, site.lat) for site in facts.sites]
    at += [(depot.lon, depot.lat) for depot in facts.depots]
    at += [(facility.lon, facility.lat) for facility in facts.facilities]
    lons, lats = zip(*at or [(facts.roads.centre_lon, facts.roads.centre_lat)], strict=True)
    return schemas.Region(
        id=facts.id,
        name=facts.name,
        zone=facts.zone,
        licence=facts.licence,
        attribution=attribution,
        centre=(facts.roads.centre_lon, facts.roads.centre_lat),
        bounds=(min(lons), min(lats), max(lons), max(lats)),
        fractions=[
            schemas.Name(id=item.id, name_de=item.name_de, name_en=item.name_en)
            for item in facts.fractions
        ],
        services=[
            schemas.Service(
                id=item.id,
                name_de=item.name_de,
                name_en=item.name_en,
                fractions=list(item.fractions),
            )
            for item in facts.services
        ],
        depots=[place(item) for item in facts.depots],
        facilities=[place(item) for item in facts.facilities],
    )


def place(facts: Depot | Facility) -> schemas.Place:
    """Describe a depot or a facility."""
    return schemas.Place(id=facts.id, name=facts.name, lon=facts.lon, lat=facts.lat)


def container(state: ContainerState) -> schemas.Container:
    """Describe a container. A belief from before it was emptied no longer holds."""
    reading = belief = None
    if state.read_at is not None and state.read_fill is not None:
        reading = schemas.Reading(time=state.read_at, fill=round(state.read_fill, 4))
    emptied_since = _later(state.emptied_at, state.computed_at)
    if state.computed_at is not None and not emptied_since:
        belief = schemas.Belief(
            fill=state.fill or 0.0,
            fill_sd=state.fill_sd or 0.0,
            rate_per_day=state.rate_per_day or 0.0,
            overflow_risk=state.overflow_risk or 0.0,
            prize_eur=state.prize_eur or 0.0,
            computed_at=state.computed_at,
        )
    return schemas.Container(
        id=state.id,
        site=state.site,
        site_name=state.site_name,
        lon=state.lon,
        lat=state.lat,
        fraction=state.fraction,
        volume_l=state.volume_l,
        sensor=state.sensor,
        synthetic=state.synthetic,
        reading=reading,
        emptied_at=state.emptied_at,
        belief=belief,
    )


def _later(instant: datetime | None, reference: datetime | None) -> bool:
    return instant is not None and reference is not None and instant > reference


def vehicle(state: VehicleState) -> schemas.Vehicle:
    """Describe a truck."""
    position = None
    if state.time is not None and state.lon is not None and state.lat is not None:
        position = schemas.Position(
            time=state.time,
            lon=state.lon,
            lat=state.lat,
            speed_mps=state.speed_mps,
            heading_deg=state.heading_deg,
        )
    return schemas.Vehicle(
        id=state.id,
        name=state.name,
        depot=state.depot,
        services=list(state.services),
        position=position,
        tour=state.tour,
    )


def progress(state: TourState) -> schemas.Progress:
    """Sum up what a truck has reported of its tour."""
    eta = state.ended_at
    if eta is None and state.last_at is not None and state.last_planned is not None:
        eta = state.end + (state.last_at - state.last_planned)
    return schemas.Progress(
        state=_tour_state(state),
        stops_done=state.stops_done,
        stops_failed=state.stops_failed,
        last_stop=state.last_stop,
        lifts=state.lifts,
        kg_unloaded=state.kg_unloaded,
        eta=eta,
    )


def _tour_state(state: TourState) -> schemas.TourState:
    if state.ended_at is not None:
        return "done"
    if state.started_at is not None:
        return "driving"
    if state.acknowledged_revision == state.revision and state.accepted is not None:
        return "accepted" if state.accepted else "refused"
    return "sent" if state.revision > 0 else "planned"


def tour_summary(state: TourState) -> schemas.TourSummary:
    """Describe a tour in figures."""
    return schemas.TourSummary(
        id=state.id,
        plan=state.plan,
        vehicle=state.vehicle,
        revision=state.revision,
        start=state.start,
        end=state.end,
        stops=state.visits,
        km=state.km,
        hours=state.hours,
        kg=state.kg,
        trips=state.trips,
        progress=progress(state),
    )


def tour(
    record: TourRecord, state: TourState, reported: dict[int, bool], depot: schemas.Place | None
) -> schemas.Tour:
    """Describe a tour stop by stop; `reported` says which stops were done (or failed)."""
    return schemas.Tour(
        **tour_summary(state).model_dump(),
        depot=depot,
        attribution=record.attribution,
        stop_list=[stop(item, reported.get(item.number)) for item in record.stops],
    )


def stop(record: StopRecord, done: bool | None) -> schemas.Stop:
    """Describe a stop."""
    return schemas.Stop(
        number=record.number,
        kind=record.kind,
        id=record.place,
        name=record.name,
        lon=record.lon,
        lat=record.lat,
        arrival=record.arrival,
        departure=record.departure,
        service_s=record.service_s,
        containers=list(record.containers),
        kg=record.kg,
        litres=record.litres,
        why=record.why,
        locked=record.locked,
        state="open" if done is None else "done" if done else "failed",
    )


def plan_summary(record: PlanSummary) -> schemas.PlanSummary:
    """Describe a plan in a list."""
    return schemas.PlanSummary(
        id=record.id,
        service=record.service,
        depot=record.depot,
        day=record.day,
        state=record.state,
        created_at=record.created_at,
        published_at=record.published_at,
        engine=record.engine,
        estimate=record.estimate,
        tours=record.tours,
        stops=record.stops,
        unserved=record.unserved,
        km=record.km,
        hours=record.hours,
        kg=record.kg,
        cost_eur=record.eur,
    )


def plan(record: PlanRecord, tours: list[TourState], facts: Region) -> schemas.Plan:
    """Describe a plan with its tours and what it leaves out."""
    return schemas.Plan(
        id=record.id,
        service=record.service,
        depot=record.depot,
        day=record.day,
        state=record.state,
        created_at=record.created_at,
        published_at=record.published_at,
        engine=record.engine,
        estimate=record.estimate,
        tours=len(tours),
        stops=sum(state.visits for state in tours),
        unserved=len(record.unserved),
        km=sum(state.km for state in tours),
        hours=sum(state.hours for state in tours),
        kg=sum(state.kg for state in tours),
        cost_eur=sum(record.cost.values()),
        cost_parts_eur=dict(record.cost),
        provider=str(record.provider.get("name", "")),
        attribution=facts.attribution or str(record.provider.get("attribution", "")),
        tour_list=[tour_summary(state) for state in tours],
        unserved_list=[
            schemas.Unserved(
                site=item.site,
                name=facts.site_by_id[item.site].name if item.site in facts.site_by_id else "",
                reason=item.reason,
                extra_eur=item.extra_eur,
                containers=list(item.containers),
            )
            for item in record.unserved
        ],
    )


def replan(record: ReplanRecord) -> schemas.Replan:
    """Describe a proposal; stops that were over when it was made count as done."""
    told = dict(record.told)
    later = {one["vehicle"]: one["later_min"] for one in told.pop("tours")}
    over = {one.tour: set(one.over) for one in record.basis}
    return schemas.Replan(
        id=record.id,
        plan=record.plan,
        state=record.state,
        created_at=record.created_at,
        decided_at=record.decided_at,
        events=[parse_event(dict(one)) for one in record.events],
        basis=[
            schemas.ReplanBasis(tour=one.tour, vehicle=one.vehicle, revision=one.revision)
            for one in record.basis
        ],
        tours=[
            schemas.ChangedTour(
                tour=tour.id,
                vehicle=tour.vehicle,
                end=tour.end,
                later_min=later.get(tour.vehicle),
                km=tour.km,
                kg=tour.kg,
                trips=tour.trips,
                stop_list=[
                    stop(item, True if item.number in over.get(tour.id, ()) else None)
                    for item in tour.stops
                ],
            )
            for tour in record.tours
        ],
        **{name: told[name] for name in _TOLD},
    )


def device(entry: Entry) -> schemas.Device:
    """Describe a device as the registry has it."""
    return schemas.Device(**_registered(entry))


def provisioned_device(entry: Entry, made: Credentials | None) -> schemas.ProvisionedDevice:
    """Describe a device together with its new credentials."""
    shown = made and schemas.Credentials(
        user=made.device, password=made.secret, client_id=made.client_id
    )
    return schemas.ProvisionedDevice(**_registered(entry), credentials=shown)


def _registered(entry: Entry) -> dict[str, Any]:
    told = {**entry._asdict(), "source": entry.source or None}
    return {**told, "state": "revoked" if entry.revoked_at else "active"}
