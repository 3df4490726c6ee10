"""A whole city that fills, reports and drives, over the public wires only."""
