"""The pure core: facts in, decisions out. It knows no database, broker or web framework.

In the order in which it is best read:

- `model`: the routing problem of one day, and its solution; `travel` and `validation` belong to it.
- `fill`: what is believed of each container's level, and what is to be expected of it.
- `selection`: which sites may be visited today, and what for; `horizon` looks at the days to come.
- `daily`: from the snapshot of a day to its plan; it calls all that comes before and after it here.
- `solve`: from a problem to a solution; the engines.
- `check`: the independent judge of solutions.
- `explain`: why a site is in a plan, and why a container is not.
- `replan`: what to do when something happens during the day.
- `certify`: anybody's plan, judged by the law and a region's facts.

Beside them stand `formats`, problems and plans as files, and `roads`, travel times and geometry
behind the protocol in `road_times`.
"""
