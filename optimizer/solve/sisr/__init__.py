"""Our own search: ruin and recreate over whole days of trucks, compiled to machine code.

J. Christiaens and G. Vanden Berghe, "Slack Induction by String Removals for Vehicle Routing
Problems", Transportation Science 54 (2020), carried over to days with several trips:

- `arrays`, `merging`: the problem as arrays; visits at one place become one.
- `state`: tours under search, and what is known about each; `chance`: its random numbers.
- `labels`: earliest and latest times along a tour, one per number of breaks taken.
- `tour`: all labels, loads and costs of a tour.
- `unloading`: where along a tour to unload, exactly.
- `insertion`: whether and where a visit fits, in constant time per gap.
- `tails`: two tours exchange what comes behind a place on each.
- `ruin`, `recreate`, `annealing`: one step of the search, and whether it is kept.
- `crossover`, `assembly`: a plan takes some tours, or some ways, over from another one.
- `campaign`: phases: a smaller fleet, then shorter tours, on two threads where it pays;
  `schedule`: how long each goes on and how it cools, `spare`: more trucks than there are, for a
  while, `shares`: a plan divided among threads, `plan`: whole plans between phases.
- `engine`: all this behind the protocol of the engines.
- `compiled`, `cache`, `warm`: what is compiled, where the code is kept, and compiling ahead.

Everything that is compiled takes the problem `P`, the state `S`, and a row `r`: a truck's tour.

It is the first part of `optimizer.solve.engines.OwnSearch`, which leads the usual chain. Compiling
takes most of a minute, once per version and machine (`warm.warm_up`); until that is done, and for
problems whose rules it does not know, its plain twin `optimizer.solve.search` takes over.
"""
