"""The faults that this suite causes: number and name of each row of `docs/reliability.md`."""

FAULTS = {
    1: "A worker child is killed in the middle of a run",
    2: "The whole worker is killed",
    3: "The worker is asked to end during a run, as in a deploy",
    4: "Redis restarts in the middle of a run",
    5: "Redis forgets everything",
    6: "Redis is away for a while",
    7: "The web server restarts under many open pages",
    8: "PostgreSQL restarts around the final result",
    9: "A message is delivered twice, and again after the end",
    10: "The browser is offline for a while",
    11: "A page was frozen, or comes back from the browser's history",
    12: "A browser stops reading during a flood",
    13: "A run logs 10,000 lines a second",
    22: "Many clicks on Retry, a form sent twice",
    23: "Cancel while queued",
    24: "Cancel of a run that never checks",
    25: "run() raises, its result cannot be shown or stored, or the operation is deleted",
    26: "An old page meets a new server",
}

# Not a row: many operations under faults that come at random.
RANDOM_RUN = 0
TESTED = {**FAULTS, RANDOM_RUN: "Many operations while faults come at random"}
