"""`python -m benchmarks`: sets everything up, measures all rows in turn, prints the table."""

import argparse
import asyncio
import shutil
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks import contenders as sites
from benchmarks.contenders import Contender
from benchmarks.environments import generate_site, virtual_environment
from benchmarks.failures import BenchmarkError
from benchmarks.machine import facts
from benchmarks.places import BUILD, HERE, RESULTS, RUN, SITE_LOCK
from benchmarks.postgres import Postgres
from benchmarks.programs import redis_server
from benchmarks.report import as_markdown, as_text, summary
from benchmarks.rows import ROWS
from benchmarks.sizes import FULL, QUICK, TINY
from benchmarks.table import Results, Row, Scenario, Sizes

CONTENDERS: dict[type[Contender], str] = {
    sites.SiteOnPostgres: "site",
    sites.SiteOnSqlite: "site",
    sites.DjangoLiveopsCore: "django-liveops",
    sites.DjangoLiveopsPubSub: "django-liveops",
    sites.CeleryProgress: "celery-progress",
    sites.CeleryProgressGunicorn: "celery-progress",
    sites.Floor: "site",
}
# The longest is 200,000 operations that are filled in first.
MEASURE_WITHIN = 900.0
TITLES = {kind.key: kind.title for kind in CONTENDERS}


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the essential rows, in minutes")
    parser.add_argument("--tiny", action="store_true", help="only to see that everything works")
    parser.add_argument("--rounds", type=int, help="how often each row is measured")
    names = sorted({row.scenario.name for row in ROWS})
    parser.add_argument("--only", nargs="+", choices=names, metavar="WHAT", help=", ".join(names))
    return parser.parse_args()


def scenarios_of(rows: Sequence[Row]) -> list[Scenario]:
    return list({row.scenario.name: row.scenario for row in rows}.values())


def contenders_of(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Which contenders each scenario needs for these rows."""
    wanted: dict[str, list[str]] = {}
    for row in rows:
        found = wanted.setdefault(row.scenario.name, [])
        found += [key for key in (row.ours, *row.peers) if key not in found]
    return wanted


async def environments() -> dict[str, Path]:
    say("Setting up an environment for each contender; the first time takes minutes ...")
    locks = {
        "site": SITE_LOCK,
        "django-liveops": HERE / "requirements" / "django-liveops.txt",
        "celery-progress": HERE / "requirements" / "celery-progress.txt",
    }
    BUILD.mkdir(parents=True, exist_ok=True)
    pythons = await asyncio.gather(*(virtual_environment(*each) for each in locks.items()))
    return dict(zip(locks, pythons, strict=True))


async def start_all(running: Iterable[Contender]) -> None:
    """Waits for all of them, so that none is still starting when the first failure ends them."""
    starts = [contender.start() for contender in running]
    for failure in await asyncio.gather(*starts, return_exceptions=True):
        if failure is not None:
            raise failure


async def measure(
    scenario: Scenario, taking_part: Sequence[Contender], sizes: Sizes, results: Results
) -> None:
    """Each contender in turn, round after round, beginning with another one each time."""
    rounds = 1 if scenario.only_once else sizes.rounds
    for number in range(rounds):
        turn = number % len(taking_part)
        for contender in [*taking_part[turn:], *taking_part[:turn]]:
            place = (scenario.name, contender.key)
            if place in results.failures:
                continue
            began = time.monotonic()
            try:
                async with asyncio.timeout(MEASURE_WITHIN):
                    sample = await scenario.measure(contender, sizes)
            except (BenchmarkError, RuntimeError, OSError) as error:
                results.failures[place] = f"{type(error).__name__}: {error}"
                say(f"  {scenario.name}, {contender.title}: {results.failures[place]}")
                continue
            results.add(*place, sample)
            shown = ", ".join(f"{name} {value:.4g}" for name, value in sample.items())
            took = time.monotonic() - began
            place_in_turn = f"{scenario.name} {number + 1}/{rounds}, {contender.title}"
            say(f"  {place_in_turn}: {shown} ({took:.0f} s)")


async def bench(rows: Sequence[Row], sizes: Sizes, *, keep: bool) -> int:
    pythons = await environments()
    await generate_site()
    shutil.rmtree(RUN, ignore_errors=True)
    RUN.mkdir()
    redis = redis_server(pythons["site"])
    about = facts(pythons, redis)
    results, wanted = Results(), contenders_of(rows)
    needed = {key for keys in wanted.values() for key in keys}
    postgres = Postgres()
    running: dict[str, Contender] = {}
    try:
        postgres.start()
        for kind, environment in CONTENDERS.items():
            if kind.key in needed:
                running[kind.key] = kind(pythons[environment], redis, postgres)
        say(f"Starting {', '.join(contender.title for contender in running.values())} ...")
        await start_all(running.values())
        for scenario in scenarios_of(rows):
            taking_part = [running[key] for key in wanted[scenario.name]]
            await measure(scenario, taking_part, sizes, results)
    finally:
        for contender in running.values():
            contender.stop()
        postgres.stop()
    say("\n" + as_text(rows, results, TITLES) + "\n")
    notes = [f"{each.title}: {note}" for each in running.values() for note in each.notes]
    for note in notes:
        say(note)
    if keep:
        RESULTS.write_text(as_markdown(rows, results, TITLES, about, notes), encoding="utf-8")
        say(f"Written to {RESULTS}")
    for line in summary(rows, results):
        say(line)
    return 0 if all("missed" not in line for line in summary(rows, results)) else 1


async def unless_told_to_end(rows: Sequence[Row], sizes: Sizes, *, keep: bool) -> int:
    """Ctrl-C cancels this task by itself; a terminal that closes, or a kill, does so here."""
    task = asyncio.current_task()
    if task is not None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await bench(rows, sizes, keep=keep)


def main() -> int:
    arguments = parse_arguments()
    rows = [row for row in ROWS if not arguments.only or row.scenario.name in arguments.only]
    sizes = FULL
    if arguments.quick or arguments.tiny:
        sizes = TINY if arguments.tiny else QUICK
    if arguments.quick:
        rows = [row for row in rows if row.essential]
    if arguments.rounds:
        sizes = Sizes(**{**vars(sizes), "rounds": arguments.rounds})
    # Only a whole run in full is worth keeping.
    keep = sizes is FULL and not arguments.only
    try:
        return asyncio.run(unless_told_to_end(rows, sizes, keep=keep))
    except (KeyboardInterrupt, asyncio.CancelledError):
        say("Interrupted; everything that was started has been ended.")
        return 130
    except BenchmarkError as error:
        say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
