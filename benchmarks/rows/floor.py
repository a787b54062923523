"""The least that a report can cost: escape it, publish it."""

import json

from benchmarks.contenders import Contender, Floor
from benchmarks.table import Row, Sample, Scenario, Sizes, Stated


async def publish(contender: Contender, sizes: Sizes) -> Sample:
    if not isinstance(contender, Floor):
        raise TypeError(f"{contender.title} is no floor")
    found: Sample = json.loads(await contender.publish())
    return found


FLOOR = Scenario(name="floor", contenders=("floor",), measure=publish)


def _row(name: str, value: str) -> Row:
    return Row(
        name=f"floor: {name}",
        unit="µs",
        scenario=FLOOR,
        value=value,
        target=Stated(),
        ours="floor",
    )


ROWS = [
    _row("a line published through a pipeline", "publish_us"),
    _row("a line escaped", "escape_us"),
]
