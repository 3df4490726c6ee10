"""OR-Tools alone for days of one trip each: many small problems in place of a large one.

After E. Taillard and S. Voss, "POPMUSIC: Partial optimization metaheuristic under special
intensification conditions" (2002). Read in this order:

- `first`: the whole day at once, by OR-Tools' construction heuristics.
- `part`: the unit of work: a few neighbouring tours, by iterated local search with string removals.
  It runs in a process of its own, for OR-Tools keeps Python's lock.
- `cooling`: one annealing over all parts, where no visit has hours.
- `neighbours`: which tours make a part.
- `crew`: the processes.
- `engine`: one part after the other, behind the protocol of all engines.
"""
