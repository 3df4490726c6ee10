"""How fast telemetry gets from the broker into the database, beside what others do."""
