"""From what a scenario names to the policies of production."""

from config.region import Service
from optimizer.horizon import Horizon
from optimizer.selection import FixedCalendar, Policy, RiskPriced, Threshold
from simulator.studies.scenario import CalendarSpec, HorizonSpec, PolicySpec, ThresholdSpec


def policy_of(spec: PolicySpec, service: Service) -> Policy:
    """Return the policy that a scenario names."""
    if isinstance(spec, CalendarSpec):
        return FixedCalendar(spec.days or service.calendar_days)
    if isinstance(spec, ThresholdSpec):
        return Threshold(spec.level)
    if isinstance(spec, HorizonSpec):
        return Horizon(spec.chances, spec.share)
    return RiskPriced(spec.certain)
