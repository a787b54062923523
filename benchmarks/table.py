"""What a row of the table is: what it measures, whom it compares, and what was promised."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

from benchmarks.contenders import Contender

# What one measurement found: values by name. `lost`: a fraction of the lines, 0 when all is well.
Sample = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much is measured. The peers' runs are shorter where theirs would take minutes."""

    rounds: int
    burst_lines: int
    peer_burst_lines: int
    crowd: int
    peer_crowd_lines: int
    # Reports of a steady run, at 50 a second.
    steady_lines: int
    connects: int
    idle_sockets: int
    watch_seconds: float
    long_log: int
    short_log: int
    many_operations: int
    few_operations: int
    idle_seconds: float
    times: int


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Something that is done to each contender in turn, `rounds` times."""

    name: str
    contenders: tuple[str, ...]
    measure: Callable[[Contender, Sizes], Awaitable[Sample]]
    # Once is enough for what takes minutes and hardly varies.
    only_once: bool = False


@dataclass(frozen=True, kw_only=True)
class Gain:
    """At least so many times better than the best peer."""

    times: float

    def __str__(self) -> str:
        return f"≥ {self.times:g} × better"


@dataclass(frozen=True, kw_only=True)
class Share:
    """At most so many times the best peer's (or the base's) figure."""

    times: float

    def __str__(self) -> str:
        return f"≤ {self.times:g} ×"


@dataclass(frozen=True, kw_only=True)
class Limit:
    """At most this, whatever the peers do."""

    most: float

    def __str__(self) -> str:
        return f"≤ {self.most:g}"


@dataclass(frozen=True, kw_only=True)
class Stated:
    """Shown, for orientation."""

    def __str__(self) -> str:
        return "stated"


Target = Gain | Share | Limit | Stated


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table.

    `value` is the name of a value in the scenario's samples. `base` names another value of the same
    samples that ours is compared with, instead of a peer's.
    """

    name: str
    unit: str
    scenario: Scenario
    value: str
    target: Target
    better: Literal["lower", "higher"] = "lower"
    ours: str = "ours"
    peers: tuple[str, ...] = ()
    base: str = ""
    essential: bool = True
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The median, least and greatest of a row's samples, and the most that was lost in one."""

    median: float
    least: float
    most: float
    lost: float

    @classmethod
    def of(cls, samples: Sequence[Sample], value: str) -> "Spread | None":
        values = [sample[value] for sample in samples if value in sample]
        if not values:
            return None
        lost = max(sample.get("lost", 0.0) for sample in samples)
        return cls(median=median(values), least=min(values), most=max(values), lost=lost)


@dataclass
class Results:
    """All samples by scenario and contender, and what failed."""

    samples: dict[tuple[str, str], list[Sample]] = field(default_factory=dict)
    failures: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, scenario: str, contender: str, sample: Sample) -> None:
        self.samples.setdefault((scenario, contender), []).append(sample)

    def spread(self, row: Row, contender: str, value: str = "") -> Spread | None:
        found = self.samples.get((row.scenario.name, contender), [])
        return Spread.of(found, value or row.value)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What became of a row. `met` is None where nothing was promised, or nothing measured."""

    ours: Spread | None
    theirs: dict[str, Spread]
    # The peer that ours is compared with, and the ratio in the target's direction.
    best: str
    ratio: float | None
    met: bool | None
    remark: str


def judge(row: Row, results: Results) -> Verdict:
    """Compare with the best peer that lost nothing; say so if all of them did."""
    ours = results.spread(row, row.ours)
    theirs = {peer: found for peer in row.peers if (found := results.spread(row, peer))}
    if row.base and (base := results.spread(row, row.ours, row.base)):
        theirs = {row.base: base}
    whole = {peer: found for peer, found in theirs.items() if not found.lost}
    best = _best(whole or theirs, row.better)
    ratio = _ratio(row, ours, theirs[best]) if ours and best and not ours.lost else None
    met = _is_met(row.target, ours, ratio)
    remarks = []
    if theirs and not whole:
        remarks.append("every peer lost lines")
    if ours and ours.lost:
        met = False
        remarks.append(f"ours lost {ours.lost:.1%}")
    elif met is None and not isinstance(row.target, Stated):
        met = False
        remarks.append("not measured")
    remark = "; ".join(remarks)
    return Verdict(ours=ours, theirs=theirs, best=best, ratio=ratio, met=met, remark=remark)


def _best(candidates: dict[str, Spread], better: str) -> str:
    if not candidates:
        return ""
    choose: Any = min if better == "lower" else max
    return str(choose(candidates, key=lambda peer: candidates[peer].median))


def _ratio(row: Row, ours: Spread, theirs: Spread) -> float | None:
    """How many times better ours is, for a Gain; else ours as a multiple of theirs."""
    above, below = ours.median, theirs.median
    if isinstance(row.target, Gain) and row.better == "lower":
        above, below = below, above
    return above / below if below else None


def _is_met(target: Target, ours: Spread | None, ratio: float | None) -> bool | None:
    match target:
        case Gain(times=times):
            return None if ratio is None else ratio >= times
        case Share(times=times):
            return None if ratio is None else ratio <= times
        case Limit(most=most):
            return None if ours is None else ours.median <= most
        case Stated():
            return None
