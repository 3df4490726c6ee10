"""What is set from outside: settings, the clock, and a region's facts."""
