"""Classes of street in a town plan, from the smallest up."""

RESIDENTIAL, TERTIARY, SECONDARY, PRIMARY = range(4)
