"""HTTP: what dispatchers, planners and truck units read and steer."""
