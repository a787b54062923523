from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from liveops.conf import conf
from liveops.exceptions import OperationCancelled
from liveops.testing import RecordingProgress
from operations import find_duplicates
from operations.contacts import Contact
from operations.find_duplicates import LISTED, SHOWN, FindDuplicates
from operations.tests.pages import shown

Add = Callable[..., Contact]
Run = Callable[[FindDuplicates], RecordingProgress]


@pytest.fixture
def search(owner: User) -> Callable[..., FindDuplicates]:
    def make(**options: Any) -> FindDuplicates:
        return FindDuplicates.objects.create(owner=owner, **options)

    return make


def add_pair(add: Add, i: int, **values: Any) -> None:
    name = f"{chr(97 + i % 26) * 4}{i:04d} {chr(97 + i // 26 % 26) * 6}"
    add(name.title(), f"{name.replace(' ', '.')}@example.com", **values)
    add(name.upper(), f"{name.replace(' ', '.')}@example.org", **values)


def test_duplicates_are_listed_in_groups(search: Any, run: Run, add: Add) -> None:
    ann = add("Ann Müller", "ann.mueller@example.com", phone="030 1234567")
    too = add("Müller, Ann", "annmueller@example.org", phone="+49 30 1234567", company="Muller Ltd")
    add("Bob Smith", "bob@example.com")
    p = run(search())
    assert list(p.stages.items()) == [("Load", "done"), ("Compare", "done"), ("Group", "done")]
    assert (p.results["contacts"], p.results["group_count"]) == (3, 1)
    (group,) = p.results["groups"]
    assert {contact["pk"] for contact in group["contacts"]} == {ann.pk, too.pk}
    assert group["score"] >= 88
    assert p.statuses[-1] == "1 group found"
    assert "Muller Ltd" in shown(p)


def test_candidates_appear_in_their_region_as_they_are_found(
    search: Any, run: Run, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find_duplicates, "SHOW_EVERY", 0)
    for i in range(5):
        add_pair(add, i)
    swaps = run(search()).swaps
    assert {selector for selector, _ in swaps} == {"#candidates"}
    headings = [html.split("<h2>")[1].split("</h2>")[0].strip() for _, html in swaps]
    assert headings[0] == "1 candidate"
    assert headings[-1] == "5 candidates"
    assert len(headings) == 6


def test_only_the_newest_candidates_are_shown_and_not_too_often(
    search: Any, run: Run, add: Add
) -> None:
    for i in range(2 * SHOWN):
        add_pair(add, i)
    swaps = run(search()).swaps
    assert len(swaps) < SHOWN
    newest = swaps[-1][1]
    assert f"{2 * SHOWN} candidates" in newest
    assert newest.count("May be the same as") == 1
    assert newest.count(" %</td>") == SHOWN


def test_the_region_stays_within_the_limit_of_the_engine(search: Any, run: Run, add: Add) -> None:
    for i in range(SHOWN):
        name = f"{i:04d}" + "&" * 196
        for domain in ("com", "org"):
            add(name, f"{i}{'x' * 60}@{'y' * 60}.{domain}", phone="<" * 40)
    swaps = run(search()).swaps
    assert f"{SHOWN} candidates" in swaps[-1][1]
    assert len(swaps[-1][1].encode()) < conf.MAX_REGION


def test_the_contacts_of_others_are_never_looked_at(
    search: Any, run: Run, add: Add, stranger: User
) -> None:
    add("Ann Müller", "ann.mueller@example.com")
    add("Ann Müller", "ann.mueller@example.org", owner=stranger)
    add_pair(add, 1, owner=stranger)
    p = run(search())
    assert (p.results["contacts"], p.results["group_count"]) == (1, 0)
    assert "Ann" not in "".join(html for _, html in p.swaps)


def test_more_likeness_finds_less(search: Any, run: Run, add: Add) -> None:
    add("Ann Müller", "ann.mueller@example.com")
    add("Ann Mueler", "a.m@example.org")
    assert run(search(threshold=70)).results["candidates"] == 1
    assert run(search(threshold=95)).results["candidates"] == 0


def test_an_empty_address_book_has_no_duplicates(search: Any, run: Run, db: None) -> None:
    p = run(search())
    assert p.results["groups"] == []
    assert p.percents[-1] == 100
    assert "0 groups of contacts" in shown(p)


def test_groups_beyond_the_limit_are_counted(search: Any, run: Run, add: Add) -> None:
    for i in range(LISTED + 3):
        add_pair(add, i)
    p = run(search(threshold=100))
    assert len(p.results["groups"]) == LISTED
    assert (p.results["group_count"], p.results["unlisted"]) == (LISTED + 3, 3)
    assert "and 3 more groups" in shown(p)


def test_too_many_candidates_end_the_search_with_advice(
    search: Any, run: Run, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find_duplicates, "MAX_MATCHES", 3)
    for i in range(10):
        add_pair(add, i)
    p = run(search())
    assert p.results["stopped"]
    assert p.results["candidates"] < 10
    assert p.logs[-1][0] == "warning"
    assert "Ask for more likeness" in shown(p)


def test_a_contact_deleted_meanwhile_does_no_harm(search: Any, add: Add) -> None:
    add_pair(add, 1)
    operation = search()
    p = RecordingProgress(operation)
    people = operation._load(p)
    Contact.objects.filter(email__endswith="org").delete()
    assert len(operation._compare(p, people)) == 1
    assert "candidate" not in p.swaps[-1][1]


def test_a_search_can_be_cancelled_and_run_again(search: Any, run: Run, add: Add) -> None:
    add_pair(add, 1)
    operation = search()
    p = RecordingProgress(operation, cancel_after=4)
    with pytest.raises(OperationCancelled):
        operation.run(p)
    assert p.stages == {"Load": "done", "Compare": "cancelled"}
    operation.on_restart()
    assert run(operation).results["group_count"] == 1


def test_it_changes_nothing(search: Any, run: Run, add: Add) -> None:
    add_pair(add, 1)
    before = list(Contact.objects.values())
    run(search())
    assert list(Contact.objects.values()) == before


def test_hostile_names_are_shown_inert(search: Any, run: Run, add: Add) -> None:
    bad = "<img src=x onerror=alert(1)>"
    add(bad, "ann.mueller@example.com")
    add(bad, "ann.mueller@example.org")
    p = run(search())
    for html in (p.swaps[-1][1], shown(p)):
        assert "<img" not in html
        assert "&lt;img" in html
