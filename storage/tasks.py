"""The tasks by the names under which the queue knows them: a request orders them by name only."""

PLAN_DAY = "plan_day"  # day, [service], [depot], [publish], [policy], [seed]
REPLAN = "replan"  # plan, events
BELIEVE = "believe"
UPKEEP = "upkeep"
