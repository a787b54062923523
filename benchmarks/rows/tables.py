"""The list page, a sweep and a claim in a table with many operations and in one with few."""

from statistics import median

from benchmarks.contenders import Contender
from benchmarks.drivers import Driver
from benchmarks.table import Limit, Row, Sample, Scenario, Share, Sizes

# Few and many are timed in turn.
TURNS = 3
DEEDS = {"list": "the list page", "sweep": "a sweep", "claim": "a claim"}


async def tables(contender: Contender, sizes: Sizes) -> Sample:
    """All operations are one user's, which is the worst case for the list."""
    counts = {"few": sizes.few_operations, "many": sizes.many_operations}
    drivers: dict[str, Driver] = {}
    found: dict[str, list[float]] = {}
    try:
        for name, count in counts.items():
            drivers[name] = await _fill(contender, f"tables_{name}", count)
        for _ in range(TURNS):
            for name, driver in drivers.items():
                timed = await driver.call("time_tables", times=sizes.times)
                for deed in DEEDS:
                    found.setdefault(f"{name}_{deed}_ms", []).append(timed[f"{deed}_s"] * 1e3)
        plans = [f"{deed}: {scan}" for deed in DEEDS for scan in timed[f"{deed}_scans"]]
    finally:
        for driver in drivers.values():
            driver.kill()
    contender.notes += plans
    return {"scans": float(len(plans)), **{name: median(each) for name, each in found.items()}}


async def _fill(contender: Contender, name: str, count: int) -> Driver:
    """A driver of its own, on a database of its own with so many operations."""
    env = {**contender.env, "DATABASE_URL": await contender.postgres.create(name)}
    await contender.manage("migrate", "--verbosity", "0", env=env)
    driver = contender.make_driver(env)
    await driver.start(contender.folder / "driver.log")
    await driver.call("sign_in")
    await driver.call("fill", count=count)
    return driver


TABLES = Scenario(name="tables", contenders=("ours",), measure=tables, only_once=True)

ROWS = [
    *(
        Row(
            name=f"{title}, 200,000 operations against 1,000",
            unit="ms",
            scenario=TABLES,
            value=f"many_{deed}_ms",
            base=f"few_{deed}_ms",
            target=Share(times=1.5),
            essential=False,
        )
        for deed, title in DEEDS.items()
    ),
    Row(
        name="queries among these whose plan reads a whole table of operations",
        unit="",
        scenario=TABLES,
        value="scans",
        target=Limit(most=0),
        essential=False,
    ),
]
