"""Our own search: ruin and recreate over whole days of trucks, compiled to machine code.

J. Christiaens and G. Vanden Berghe, "Slack Induction by String Removals for Vehicle Routing
Problems", Transportation Science 54 (2020), carried over to days with several trips:

- `arrays`, `merging`: the problem as arrays; visits at one place become one.
- `state`: tours under search, and what is known about each.
- `labels`: earliest and latest times along a tour, one per number of breaks taken.
- `tour`: all labels, loads and costs of a tour.
- `unloading`: where along a tour to unload, exactly.
- `insertion`: whether and where a visit fits, in constant time per gap.
- `ruin`, `recreate`, `annealing`: one step of the search, and whether it is kept.
- `campaign`: phases: a smaller fleet, then shorter tours, on two threads where it pays.
- `engine`: all this behind the protocol of the engines.

Everything that is compiled takes the problem `P`, the state `S`, and a row `r`: a truck's tour.

It is not among the engines of the default chain yet: compiling takes more than a minute. Whoever
wants it calls `warm.warm_up()` once and passes `engine.CompiledSearch()` to `optimizer.solve`.
"""
