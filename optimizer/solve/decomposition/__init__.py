"""Large problems: balanced zones, then rounds of disjoint neighbourhoods, on all cores.

After "POPMUSIC" (E. Taillard and S. Voss, 2002: parts of a solution are optimised again and again)
and the decompositions of A. Santini, M. Schneider, T. Vidal and D. Vigo ("Decomposition strategies
for vehicle routing heuristics", INFORMS Journal on Computing 35, 2023):

- `embedding`: where places lie, told from travel alone.
- `zones`: points divided into compact parts of like weight.
- `subset`: a part of a problem as a problem of its own.
- `division`: a problem divided into zones, a plan into neighbourhoods.
- `task`: the unit of work, a pure function that runs on any thread, process or machine.
- `plain`: the same work where the compiled search is not there, or not made for the rules.
- `engine`: rounds of neighbourhoods, divided anew each time, while one temperature falls.
- `finish`: starts of tours, and reasons for what is left out.

Travel is asked for in blocks of some hundred places; nothing here is as large as n x n.
"""
