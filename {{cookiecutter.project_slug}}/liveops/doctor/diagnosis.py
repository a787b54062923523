"""A check, and how it is carried out: it never hangs, and its text holds no secret."""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from django.db import connections

from liveops.doctor.masking import scrub


class Verdict(StrEnum):
    """What a check found."""

    OK = "ok"
    # It works, but not for long or not well.
    WARNING = "warning"
    WRONG = "wrong"
    # It needs something else that is wrong.
    UNKNOWN = "unknown"


class Wrong(Exception):
    """What is wrong; `mend` replaces the check's own advice."""

    verdict = Verdict.WRONG

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(what)
        self.mend = mend


class Doubtful(Wrong):
    """What works, but should not stay like that."""

    verdict = Verdict.WARNING


@dataclass(frozen=True, kw_only=True)
class Check:
    """`examine` says in a few words what it found in order, and raises what it did not."""

    name: str
    examine: Callable[[], str]
    mend: str
    # What is examined, such as an address; it may hold a password.
    where: Callable[[], str] = str
    # In seconds.
    within: float = 10.0
    # Names of checks without which this one can tell nothing.
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    name: str
    verdict: Verdict
    what: str
    mend: str = ""


def examine_all(checks: Iterable[Check]) -> Iterator[Diagnosis]:
    """Carry out the checks in their order; those that need one that failed are left out."""
    failed: set[str] = set()
    for check in checks:
        missing = [name for name in check.needs if name in failed]
        if missing:
            what = f"cannot be told until this is mended: {', '.join(missing)}"
            diagnosis = Diagnosis(name=check.name, verdict=Verdict.UNKNOWN, what=what)
        else:
            diagnosis = _examine(check)
        if diagnosis.verdict in {Verdict.WRONG, Verdict.UNKNOWN}:
            failed.add(check.name)
        yield diagnosis


def _examine(check: Check) -> Diagnosis:
    place: list[str] = []
    found: list[str | Exception] = []

    def examine() -> None:
        try:
            place.append(check.where())
            found.append(check.examine())
        except Exception as error:  # noqa: BLE001 (whatever it is, it is what is wrong)
            found.append(error)
        finally:
            connections.close_all()

    # A daemon, so that one that hangs is left behind.
    thread = threading.Thread(target=examine, name=f"doctor: {check.name}", daemon=True)
    thread.start()
    thread.join(check.within)
    result = found[0] if found else Wrong(f"no answer within {check.within:g} s")
    if isinstance(result, str):
        return Diagnosis(name=check.name, verdict=Verdict.OK, what=scrub(result))
    verdict, mend = Verdict.WRONG, check.mend
    what = str(result) or type(result).__name__
    if isinstance(result, Wrong):
        verdict, mend = result.verdict, result.mend or check.mend
    what = ": ".join([*filter(None, place), what])
    return Diagnosis(name=check.name, verdict=verdict, what=scrub(what), mend=scrub(mend))
