"""kill -9 of engine, agent and both; see crash.py for one seed by hand."""

from bed import case
from crash import run_all


@case("kill -9 of engine, agent or both at seeded moments leaves the machine as it was", seconds=240)
def seeded_moments(bed):
    run_all(bed, range(1, 51) if bed.full else range(1, 13))
