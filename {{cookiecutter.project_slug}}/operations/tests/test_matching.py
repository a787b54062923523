import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

import operations
from operations.matching import Match, Person, fold, group, likeness, neighbours, person

SAMPLES = Path(operations.__path__[0]) / "samples"

ANN = ("Ann Müller", "ann.mueller@example.com", "+49 30 1234567")


def like(left: tuple[str, str, str], right: tuple[str, str, str]) -> float:
    return likeness(person(1, *left), person(2, *right), 0)


@pytest.mark.parametrize(
    "other",
    [
        ("Ann Muller", "ann.mueller@example.org", "030/1234567"),
        ("MÜLLER, ANN", "AnnMueller@example.org", "0049-30-1234567"),
        ("ann müller", "ann.mueller+news@example.com", ""),
        ("Ann Mülelr", "ann.mueller@example.net", "(030) 1234567"),
    ],
)
def test_the_same_person_written_differently_is_alike(other: tuple[str, str, str]) -> None:
    assert like(ANN, other) >= 85
    assert like(other, ANN) == like(ANN, other)


@pytest.mark.parametrize(
    "other",
    [
        ("Ann Müller", "ann.mueller@example.org", "+49 89 7654321"),
        ("Bob Smith", "ann.mueller@example.org", "+49 30 1234567"),
        ("Hans Müller", "hans.mueller@example.com", "+49 40 5550000"),
    ],
)
def test_other_people_are_not(other: tuple[str, str, str]) -> None:
    assert like(ANN, other) < 85


def test_equal_people_are_wholly_alike() -> None:
    assert like(ANN, ANN) == 100


def test_a_missing_phone_says_neither_yes_nor_no() -> None:
    assert like(ANN, (*ANN[:2], "")) == 100
    assert like(ANN, (*ANN[:2], "12")) == 100


def test_what_is_below_the_threshold_counts_as_nothing() -> None:
    left, right = person(1, *ANN), person(2, "Ann Miller", "a.m@example.com", "")
    score = likeness(left, right, 0)
    assert score > 0
    assert likeness(left, right, score) == score
    assert likeness(left, right, score + 0.1) == 0


@pytest.mark.parametrize(
    ("text", "plain"),
    [("Łukasz", "lukasz"), ("Weiß", "weiss"), ("Ærø", "aero"), ("É\u0301", "e"), ("Ann", "ann")],
)
def test_letters_are_folded(text: str, plain: str) -> None:
    assert fold(text) == plain


def test_the_work_grows_with_the_list_and_not_with_its_square() -> None:
    people = [Person(pk, f"{pk * 7919 % 100_003:06d}", f"m{pk}", str(pk)) for pk in range(2000)]
    comparisons = sum(len(others) for _, others in neighbours(people))
    assert comparisons <= 3 * 8 * len(people)
    assert sum(1 for _ in neighbours(people)) == 3 * len(people)


def test_matches_are_grouped_also_through_others() -> None:
    matches = [Match(1, 2, 90), Match(7, 8, 90), Match(2, 3, 90), Match(3, 4, 90)]
    assert group(matches) == [[1, 2, 3, 4], [7, 8]]
    assert group([]) == []


def test_a_chain_of_many_is_one_group() -> None:
    matches = [Match(i, i + 1, 90) for i in range(5000)]
    assert [len(members) for members in group(matches)] == [5001]


def test_it_finds_the_near_duplicates_of_the_sample() -> None:
    """`recall`: how many of them it finds; `precision`: how many of its finds they are."""
    sample = list(runpy.run_path(str(SAMPLES / "make_contacts.py"))["contacts"]())
    people = [person(i, c.name, c.email, c.phone) for i, (c, _) in enumerate(sample)]
    number = {contact.email: i for i, (contact, _) in enumerate(sample)}
    real = {frozenset((number[c.email], number[o.email])) for c, o in sample if o is not None}
    found = {frozenset(pair) for pair in matching_pairs(people, 88)}
    recall, precision = len(real & found) / len(real), len(real & found) / len(found)
    print(f"recall {recall:.2f}, precision {precision:.2f} of {len(found)} candidates", end=" ")
    assert recall >= 0.95
    assert precision >= 0.65


def matching_pairs(people: list[Person], at_least: float) -> Iterator[tuple[int, int]]:
    for someone, others in neighbours(people):
        for other in others:
            if likeness(someone, other, at_least):
                yield someone.pk, other.pk
