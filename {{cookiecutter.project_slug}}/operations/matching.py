"""Decides which people of a list may be the same, without comparing everybody with everybody."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

# Sorted neighbourhood: in each order, a person is compared with so many before. Real duplicates
# sort close together in at least one order, and the work grows with the list, not its square.
WINDOW = 8
# A shorter number may be an extension that many people share.
PHONE_DIGITS = 7
# Unequal names are no match, whatever else agrees: families share a phone.
NAME_AT_LEAST = 0.6
NAME_WEIGHT, EMAIL_WEIGHT, PHONE_WEIGHT = 6, 1, 3
# Letters that have no accent to take away.
LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe"})


class Person(NamedTuple):
    """A contact as it is compared: `name` sorted by words, `mailbox` before the @, `phone` digits.

    `name` and `mailbox` have neither accents nor capital letters.
    """

    pk: int
    name: str
    mailbox: str
    phone: str


class Match(NamedTuple):
    """Two people who may be one, and how alike they are (0 to 100)."""

    left: int
    right: int
    score: int


def person(pk: int, name: str, email: str, phone: str) -> Person:
    mailbox = fold(email.partition("@")[0].partition("+")[0])
    return Person(
        pk,
        " ".join(sorted(_words(fold(name)))),
        "".join(filter(str.isalnum, mailbox)),
        "".join(filter(str.isdecimal, phone)),
    )


def fold(text: str) -> str:
    """The text without accents and capital letters."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return plain.casefold().translate(LETTERS)


def _words(text: str) -> list[str]:
    return "".join(letter if letter.isalnum() else " " for letter in text).split()


# What the list is sorted by, one order after the other. The second part keeps people with the
# same name or number beside those who also share the rest.
ORDERS: list[Callable[[Person], tuple[str, str]]] = [
    lambda person: (person.name, person.mailbox),
    lambda person: (person.mailbox, person.name),
    lambda person: (person.phone[::-1], person.name),
]


def neighbours(people: list[Person]) -> Iterator[tuple[Person, list[Person]]]:
    """Each person, once for each of ORDERS, with those to compare with."""
    for order in ORDERS:
        ordered = sorted(people, key=order)
        for position, someone in enumerate(ordered):
            yield someone, ordered[max(0, position - WINDOW) : position]


def likeness(left: Person, right: Person, at_least: float) -> float:
    """How alike two people are, 0 to 100; 0 when it is below `at_least`."""
    # Edit distance in which two letters swapped count once, like any other typing error.
    name = OSA.normalized_similarity(left.name, right.name, score_cutoff=NAME_AT_LEAST)
    if not name:
        return 0
    points = NAME_WEIGHT * 100 * name + EMAIL_WEIGHT * fuzz.ratio(left.mailbox, right.mailbox)
    weights = NAME_WEIGHT + EMAIL_WEIGHT
    if len(left.phone) >= PHONE_DIGITS and len(right.phone) >= PHONE_DIGITS:
        # The end of a number is the same with and without the country's prefix.
        points += PHONE_WEIGHT * 100 * (left.phone[-PHONE_DIGITS:] == right.phone[-PHONE_DIGITS:])
        weights += PHONE_WEIGHT
    total = points / weights
    return total if total >= at_least else 0


class Groups:
    """Puts people who match into one group, also those who match through somebody else."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}

    def join(self, left: int, right: int) -> None:
        self._parent[self._root(left)] = self._root(right)

    def _root(self, member: int) -> int:
        self._parent.setdefault(member, member)
        while self._parent[member] != member:
            # Every second step is cut short, so that chains stay short.
            self._parent[member] = self._parent[self._parent[member]]
            member = self._parent[member]
        return member

    def all(self) -> list[list[int]]:
        """The groups, the largest first."""
        members: dict[int, list[int]] = {}
        for member in sorted(self._parent):
            members.setdefault(self._root(member), []).append(member)
        return sorted(members.values(), key=len, reverse=True)


def group(matches: Iterable[Match]) -> list[list[int]]:
    groups = Groups()
    for match in matches:
        groups.join(match.left, match.right)
    return groups.all()
