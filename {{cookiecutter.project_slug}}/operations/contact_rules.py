"""How contacts are written alike. Each rule is careful: where there is doubt, it changes nothing.

No rule takes a letter or a digit away that means something, and what one run has brought into
form, a second one leaves alone.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from operations.contact_rows import LONGEST
from operations.contacts import Contact
from operations.countries import region_of, spelling_of
from operations.phone_numbers import international

# They have no width and no meaning; joiners, which Persian and Hindi need, are not among them.
INVISIBLE = str.maketrans("", "", "\u200b\ufeff")
# Unicode's own form would replace these variants of Chinese characters, which names insist on.
VARIANTS = re.compile("([\uf900-\ufaff\U0002f800-\U0002fa1f]+)")
# In small letters within a name: "Ludwig van Beethoven", "Frankfurt am Main".
PARTICLES = {
    *("am", "an", "and", "da", "das", "de", "del", "den", "der", "des", "di", "do", "dos", "du"),
    *("of", "on", "the", "upon", "van", "von", "y"),
}
TITLES = {"DR", "JR", "MR", "MRS", "MS", "PROF", "SR", "ST"}
ROMAN = {"II", "III", "IV", "VI", "VII", "VIII", "IX"}
# Letters whose small forms depend on the language.
TURKISH = set("İŞĞ")
WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f])*")
VOWELS = set("AEIOUYÆØŒ")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """`apply(text, region)` gives the text in form; `region` is the country of its contact."""

    key: str
    title: Any
    # What the rule does, for whoever reads the result.
    does: Any
    fields: tuple[str, ...]
    apply: Callable[[str, str], str]


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a rule makes of the value of a field."""

    rule: str
    field: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.field}: {self.before!r} → {self.after!r}"


def changes_of(contact: Contact, default_region: str = "") -> Iterator[Change]:
    """What the rules would change, in order: a field may be changed by one after the other."""
    # The country first: numbers without a prefix belong to it.
    country = contact.country
    for change in _changes("country", country, ""):
        country = change.after
        yield change
    region = region_of(country) if country.strip() else default_region
    for field in ("name", "email", "phone", "company", "city"):
        yield from _changes(field, getattr(contact, field), region)


def _changes(field: str, text: str, region: str) -> Iterator[Change]:
    for rule in RULES:
        if field not in rule.fields:
            continue
        after = rule.apply(text, region)
        if after != text and 0 < len(after) <= LONGEST[field]:
            yield Change(rule=rule.key, field=field, before=text, after=after)
            text = after


def tidy_spaces(text: str, _region: str = "") -> str:
    return " ".join(text.translate(INVISIBLE).split())


def compose(text: str, _region: str = "") -> str:
    parts = VARIANTS.split(text)
    return "".join(
        part if VARIANTS.match(part) else unicodedata.normalize("NFC", part) for part in parts
    )


def lower_capitals(text: str, _region: str = "") -> str:
    """Words instead of capitals: `ANNE-MARIE O'NEILL` → `Anne-Marie O'Neill`."""
    letters = sum(map(str.isalpha, text))
    is_one_way = text.lower().upper() != text or TURKISH & set(text)
    if not text.isupper() or letters < 4 or is_one_way:
        return text
    words = text.split(" ")
    if any(_is_abbreviation(word) for word in words):
        return text
    first, *inside = words[:-1] or words
    ends = words[len(inside) + 1 :]
    lowered = [_lower(first), *map(_lower_inside, inside), *map(_lower_end, ends)]
    return compose(" ".join(lowered))


def lower_capitals_of_name(text: str, _region: str = "") -> str:
    """Only of two words or more: UNICEF is no person."""
    words = [word for word in WORD.findall(text) if len(word) > 1]
    return lower_capitals(text) if len(words) > 1 else text


def _is_abbreviation(word: str) -> bool:
    """`BMW`, but neither `DR.` nor the initial `J.`; without a vowel nobody can pronounce it."""
    if len(word.strip(".")) < 2 or word.strip(".,") in TITLES:
        return False
    plain = unicodedata.normalize("NFKD", word)
    is_latin = all("A" <= letter <= "Z" for letter in plain if letter.isalpha())
    return is_latin and word.isalpha() and not VOWELS & set(plain)


def _lower_inside(word: str) -> str:
    return word.lower() if word.lower() in PARTICLES else _lower_end(word)


def _lower_end(word: str) -> str:
    return word if word in ROMAN else _lower(word)


def _lower(word: str) -> str:
    return WORD.sub(_lower_part, word)


def _lower_part(part: re.Match[str]) -> str:
    letters = part[0]
    # The s of "St. John's", but not the O of "O'Neill".
    is_genitive = len(letters) == 1 and part.string[: part.start()].endswith(("'", "\u2019"))
    return letters.lower() if is_genitive else letters[0] + letters[1:].lower()


def spell_country(text: str, _region: str = "") -> str:
    return spelling_of(text)


def tidy_email(text: str, _region: str = "") -> str:
    address = re.sub(r"^<?(?:mailto:)?|[>.,;]+$", "", compose(text).lower())
    address = compose(address)
    try:
        validate_email(address)
    except ValidationError:
        return text
    return address


RULES = [
    Rule(
        key="spaces",
        title=_("Spaces"),
        does=_("None at the ends, one between words; invisible characters are taken out."),
        fields=("name", "email", "phone", "company", "city", "country"),
        apply=tidy_spaces,
    ),
    Rule(
        key="letters",
        title=_("Letters"),
        does=_("A letter and its accent, stored as two characters, become one (Unicode NFC)."),
        fields=("name", "company", "city", "country"),
        apply=compose,
    ),
    Rule(
        key="names",
        title=_("Capitals in names"),
        does=_("ANNE VAN DYCK becomes Anne van Dyck. Single words and abbreviations stay."),
        fields=("name",),
        apply=lower_capitals_of_name,
    ),
    Rule(
        key="cities",
        title=_("Capitals in cities"),
        does=_("BERLIN becomes Berlin. Abbreviations such as NYC stay."),
        fields=("city",),
        apply=lower_capitals,
    ),
    Rule(
        key="countries",
        title=_("Countries"),
        does=_("Case and accents of well-known names: españa becomes España. None is translated."),
        fields=("country",),
        apply=spell_country,
    ),
    Rule(
        key="emails",
        title=_("E-mail addresses"),
        does=_("Small letters; mailto: and marks around the address are taken out."),
        fields=("email",),
        apply=tidy_email,
    ),
    Rule(
        key="phones",
        title=_("Phone numbers"),
        does=_("Valid numbers get the international form, +49 30 1234567; others stay."),
        fields=("phone",),
        apply=international,
    ),
]
