"""What benchmarks/ says of a measurement, and that a small one of everything works."""

import subprocess

import pytest
from template import Template

from benchmarks.report import summary
from benchmarks.rows import ROWS
from benchmarks.scale import FEW_PAGES, LARGEST, MANY_PAGES, PARTS, Load, costs, predict
from benchmarks.table import Gain, Limit, Results, Row, Sample, Scenario, Share, Stated, judge

PEERS = ("peer_core", "peer_pubsub")
MEASURED = {"burst", "connect", "steady"}
ENDS_WITHIN = 600


async def never(*_: object) -> Sample:
    raise NotImplementedError


SCENARIO = Scenario(name="some", contenders=("ours", *PEERS), measure=never)


def row(target: Gain | Share | Limit | Stated, better: str = "lower") -> Row:
    return Row(
        name="what",
        unit="s",
        scenario=SCENARIO,
        value="x",
        target=target,
        better="higher" if better == "higher" else "lower",
        peers=PEERS,
    )


def results(**samples: list[tuple[float, float]]) -> Results:
    """For each contender, (value, what was lost) of each round."""
    found = Results()
    for contender, rounds in samples.items():
        for value, lost in rounds:
            found.add("some", contender, {"x": value, "lost": lost})
    return found


def test_the_better_peer_is_compared_with_by_medians() -> None:
    found = results(
        ours=[(1, 0), (100, 0), (2, 0)], peer_core=[(10, 0)], peer_pubsub=[(8, 0), (8, 0)]
    )
    verdict = judge(row(Gain(times=4)), found)
    assert (verdict.best, verdict.ratio, verdict.met) == ("peer_pubsub", 4, True)
    assert judge(row(Gain(times=4.1)), found).met is False
    assert judge(row(Share(times=0.25)), found).met is True
    assert judge(row(Share(times=0.24)), found).met is False
    assert judge(row(Limit(most=2)), found).met is True
    assert judge(row(Limit(most=1.9)), found).met is False
    assert judge(row(Stated()), found).met is None
    assert judge(row(Gain(times=1), better="higher"), found).ratio == 0.2


def test_a_run_that_lost_lines_has_no_ratio_and_misses_its_target() -> None:
    found = results(ours=[(1, 0), (1, 0.01)], peer_core=[(100, 0)])
    verdict = judge(row(Gain(times=2)), found)
    assert (verdict.ratio, verdict.met, verdict.remark) == (None, False, "ours lost 1.0%")


def test_a_peer_that_lost_lines_is_compared_with_only_when_all_did() -> None:
    lossy, whole = [(1.0, 0.5)], [(10.0, 0.0)]
    target = row(Gain(times=2))
    verdict = judge(target, results(ours=[(2, 0)], peer_core=lossy, peer_pubsub=whole))
    assert (verdict.best, verdict.ratio, verdict.remark) == ("peer_pubsub", 5, "")
    verdict = judge(target, results(ours=[(2, 0)], peer_core=lossy, peer_pubsub=lossy))
    assert (verdict.ratio, verdict.met, verdict.remark) == (0.5, False, "every peer lost lines")


def test_what_was_not_measured_is_missed_and_named() -> None:
    lines = summary([row(Limit(most=1)), row(Stated())], results())
    assert lines == ["missed: what: – s, wanted ≤ 1 not measured", "targets 0 / 1 met"]


def test_costs_that_were_taken_from_small_crowds_predict_those_of_a_large_one() -> None:
    def load(reports: float, deliveries: float) -> Load:
        each = dict.fromkeys(PARTS, 3 * reports + 0.25 * deliveries)
        return Load(cpu=each, p50_ms=1, p99_ms=1, lost=0)

    few = load(FEW_PAGES.reports, FEW_PAGES.deliveries)
    many = load(MANY_PAGES.reports, MANY_PAGES.deliveries)
    each = costs(few, many)
    assert each == dict.fromkeys(PARTS, (pytest.approx(3), pytest.approx(0.25)))
    assert predict(LARGEST, each) == {
        part: pytest.approx(3 * LARGEST.reports + 0.25 * LARGEST.deliveries) for part in PARTS
    }


@pytest.fixture(scope="module")
def measured(template: Template) -> str:
    """What a small measurement of some rows prints."""
    tools = template.root / "build" / "bench" / "tools"
    make = ["make", str((tools / "installed").relative_to(template.root))]
    subprocess.run(make, cwd=template.root, check=True, capture_output=True)
    done = subprocess.run(
        [tools / "bin" / "python", "-m", "benchmarks", "--tiny", "--only", *sorted(MEASURED)],
        cwd=template.root,
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN,
        check=False,
    )
    # 1: a target was missed, as it may with so little.
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return done.stdout


def test_a_small_measurement_loses_nothing_and_tells_of_each_target(measured: str) -> None:
    wanted = [each for each in ROWS if each.scenario.name in MEASURED]
    promised = [each for each in wanted if not isinstance(each.target, Stated)]
    last = measured.splitlines()[-1]
    met = int(last.split()[1])
    assert last == f"targets {met} / {len(promised)} met"
    missed = [line for line in measured.splitlines() if line.startswith("missed: ")]
    assert len(missed) == len(promised) - met
    assert "not measured" not in measured
    assert "ours lost" not in measured
    for each in wanted:
        assert f"\n{each.name} [{each.unit}]\n" in measured
