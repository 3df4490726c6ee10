"""From a `Problem` to a `Solution`: engines, and the child process they run in."""
