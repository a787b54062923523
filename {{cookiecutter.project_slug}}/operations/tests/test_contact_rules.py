import unicodedata
from typing import Any

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.contact_rules import (
    RULES,
    changes_of,
    compose,
    lower_capitals,
    lower_capitals_of_name,
    spell_country,
    tidy_email,
    tidy_spaces,
)
from operations.contacts import Contact
from operations.countries import region_of
from operations.phone_numbers import international, region_choices

MESSY = st.text(
    st.sampled_from(
        "AaNnßÖöIİ\u0131ŞǅﬁΩД神  \t\u00a0\u200b\u200d\u0301\u0323.'\u2019-/\uf900\u2126"
    )
)
TEXTS = MESSY | st.text(max_size=60)


@pytest.mark.parametrize(
    ("text", "tidy"),
    [
        ("  Ann   Lee ", "Ann Lee"),
        ("Ann\u00a0Lee\t", "Ann Lee"),
        ("\ufeffAnn\u200b Lee", "Ann Lee"),
        ("می\u200cنژ", "می\u200cنژ"),
        ("Ann Lee", "Ann Lee"),
    ],
)
def test_spaces(text: str, tidy: str) -> None:
    assert tidy_spaces(text) == tidy


@pytest.mark.parametrize(
    ("text", "composed"),
    [
        ("Jose\u0301", "José"),
        ("A\u030angstro\u0308m", "Ångström"),
        ("José", "José"),
        # A variant that Unicode would replace, and its owner would not.
        ("\ufa19谷 Jose\u0301", "\ufa19谷 José"),
    ],
)
def test_letters(text: str, composed: str) -> None:
    assert compose(text) == composed


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ANN MÜLLER", "Ann Müller"),
        ("ANNE-MARIE O'NEILL", "Anne-Marie O'Neill"),
        ("LUDWIG VAN BEETHOVEN", "Ludwig van Beethoven"),
        ("VAN DER BERG", "Van der Berg"),
        ("DR. J. R. SMITH", "Dr. J. R. Smith"),
        ("HENRY TUDOR VIII", "Henry Tudor VIII"),
        ("MÜLLER, ANN", "Müller, Ann"),
        ("ИВАН ПЕТРОВ", "Иван Петров"),
        ("ΓΕΩΡΓΙΟΣ ΠΑΠΑΣ", "Γεωργιος Παπας"),
        ("Ann MÜLLER", "Ann MÜLLER"),
        ("ann müller", "ann müller"),
        ("Ian McDonald", "Ian McDonald"),
        ("UNICEF", "UNICEF"),
        ("BMW AG", "BMW AG"),
        ("ANN NG", "ANN NG"),
        ("IŞIL ÇELİK", "IŞIL ÇELİK"),
        ("GROẞ ANNA", "GROẞ ANNA"),
        ("J. R.", "J. R."),
        ("神谷", "神谷"),
        ("", ""),
    ],
)
def test_names(text: str, name: str) -> None:
    assert lower_capitals_of_name(text) == name


@pytest.mark.parametrize(
    ("text", "city"),
    [
        ("BERLIN", "Berlin"),
        ("FRANKFURT AM MAIN", "Frankfurt am Main"),
        ("RIO DE JANEIRO", "Rio de Janeiro"),
        ("LA PAZ", "La Paz"),
        ("ST. JOHN'S", "St. John's"),
        ("NYC", "NYC"),
        ("Berlin", "Berlin"),
    ],
)
def test_cities(text: str, city: str) -> None:
    assert lower_capitals(text) == city


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("GERMANY", "Germany"),
        ("deutschland", "Deutschland"),
        ("espana", "España"),
        ("uk", "UK"),
        ("Deutschland", "Deutschland"),
        ("DE", "DE"),
        ("Atlantis", "Atlantis"),
        ("ATLANTIS", "ATLANTIS"),
    ],
)
def test_countries_keep_their_language(text: str, country: str) -> None:
    assert spell_country(text) == country


@pytest.mark.parametrize(
    ("text", "region"),
    [("Germany", "DE"), (" ALLEMAGNE ", "DE"), ("de", "DE"), ("Ελλάδα", "GR"), ("Atlantis", "")],
)
def test_regions(text: str, region: str) -> None:
    assert region_of(text) == region


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ("mailto:ann@example.com", "ann@example.com"),
        ("<ann@example.com>", "ann@example.com"),
        ("ann@example.com;", "ann@example.com"),
        ("Ann@Example.COM", "ann@example.com"),
        ("ann@exa\u0308mple.com", "ann@exämple.com"),
        ("Ann Lee <ann@example.com>", "Ann Lee <ann@example.com>"),
        ("Nonsense.", "Nonsense."),
    ],
)
def test_emails(text: str, email: str) -> None:
    assert tidy_email(text) == email


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("030/1234567", "DE", "+49 30 1234567"),
        ("(030) 123 45 67", "DE", "+49 30 1234567"),
        ("0049-30-1234567", "DE", "+49 30 1234567"),
        ("+49 (0)30 1234567", "", "+49 30 1234567"),
        ("tel:+49-30-1234567", "", "+49 30 1234567"),
        ("030 1234567 ext. 12", "DE", "+49 30 1234567 ext. 12"),
        ("06 12345678", "IT", "+39 06 1234 5678"),
        ("8 (495) 123-45-67", "RU", "+7 495 123-45-67"),
        # Without a country nobody knows; with the wrong one it is not valid.
        ("030/1234567", "", "030/1234567"),
        ("0049 30 1234567", "US", "0049 30 1234567"),
        ("+1 555 0123", "", "+1 555 0123"),
        # More than a number, or another one.
        ("030 1234567 or 89", "DE", "030 1234567 or 89"),
        ("030 1234567 / 030 7654321", "DE", "030 1234567 / 030 7654321"),
        ("1-800-FLOWERS", "US", "1-800-FLOWERS"),
        ("011 15 2345-6789", "AR", "011 15 2345-6789"),
        ("", "DE", ""),
    ],
)
def test_phones(text: str, region: str, number: str) -> None:
    assert international(text, region) == number


def test_every_country_with_phone_numbers_can_be_chosen() -> None:
    choices = region_choices()
    assert {code for code, _ in choices} == phonenumbers.SUPPORTED_REGIONS
    assert ("DE", "Germany (+49)") in choices
    assert choices[0] == ("AR", "Argentina (+54)")


def test_a_number_belongs_to_the_country_of_its_contact() -> None:
    numbers = {}
    for country in ("FRANCE", "", "Atlantis"):
        contact = Contact(
            name="Ann", email="a@example.com", phone="01 42 68 53 00", country=country
        )
        phones = [change.after for change in changes_of(contact, "IT") if change.field == "phone"]
        numbers[country] = phones
    # In Italy it is a number too, but another one; of Atlantis nothing is known.
    assert numbers == {"FRANCE": ["+33 1 42 68 53 00"], "": ["+39 0142 685300"], "Atlantis": []}


def test_what_does_not_fit_any_more_is_left() -> None:
    # Its composed form is longer, by Unicode's rules.
    contact = Contact(name="\u0958" * 200, email="a@example.com")
    assert list(changes_of(contact)) == []


def in_form(contact: Contact, region: str) -> list[Any]:
    changes = list(changes_of(contact, region))
    for change in changes:
        setattr(contact, change.field, change.after)
    return changes


@given(
    name=TEXTS,
    email=TEXTS | st.emails() | st.emails().map(lambda each: f" <mailto:{each.upper()}>. "),
    phone=TEXTS | st.from_regex(r"\A(\+49|0049|0)? ?[0-9]{2,4}[ /-][0-9]{4,8}( x[0-9]{2})?\Z"),
    country=TEXTS | st.sampled_from(["GERMANY", "\u200bfrance", "espan\u0303a", "us ", "DE"]),
    region=st.sampled_from(["", "DE", "US", "IT", "AR", "MX"]),
)
def test_normalising_twice_changes_nothing_more(
    name: str, email: str, phone: str, country: str, region: str
) -> None:
    contact = Contact(name=name, email=email, phone=phone, city=name, country=country, company=name)
    in_form(contact, region)
    assert in_form(contact, region) == []


@given(TEXTS)
def test_names_and_places_keep_every_letter_and_digit(text: str) -> None:
    def kept(text: str) -> str:
        plain = "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text)))
        return unicodedata.normalize("NFKD", plain.casefold())

    contact = Contact(name=text, city=text, company=text)
    in_form(contact, "")
    for after in (contact.name, contact.city, contact.company):
        assert kept(after) == kept(text)


def valid_numbers() -> list[str]:
    examples = (phonenumbers.example_number(each) for each in phonenumbers.SUPPORTED_REGIONS)
    return [phonenumbers.format_number(each, 0) for each in examples if each]


@pytest.mark.parametrize("style", [1, 3])
def test_the_numbers_of_every_country_stay_the_same_number(style: int) -> None:
    numbers = valid_numbers()
    assert len(numbers) > 200
    for number in numbers:
        written = phonenumbers.format_number(phonenumbers.parse(number), style)
        after = international(written, "")
        assert phonenumbers.parse(after) == phonenumbers.parse(number)
        assert international(after, "") == after


def test_every_rule_says_what_it_does() -> None:
    for rule in RULES:
        assert str(rule.title)
        assert str(rule.does).endswith(".")
