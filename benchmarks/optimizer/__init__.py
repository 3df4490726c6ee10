"""Tours: binround beside OR-Tools, PyVRP and VROOM, on published sets and on real streets.

- `instances`: the sets; `streets` makes days on real roads, `published` knows the best results.
- `solvers`: ours and the peers, each from our `Problem` to our `Solution`.
- `child`: one run, in a process of its own; `runs` starts, pins, watches and remembers them.
- `page`, `plot`: what came out, for people.
"""
