"""Makes the sample files beside this script; the same bytes every time.

`contacts.csv` has 5,000 contacts as they come out of real address books: accents, capital
letters, many ways to write a phone number, line breaks and semicolons in cells, empty cells, and
near duplicates. `contacts_with_errors.csv` has 300, of which some rows cannot be imported, in the
encoding that older programs write.

Usage: python operations/samples/make_contacts.py [FOLDER]
"""

import csv
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path
from random import Random
from typing import NamedTuple, TypeVar

Item = TypeVar("Item")

SEED = 20261122
CONTACTS, NEAR_DUPLICATES = 5000, 220
HEADER = ["Name", "E-Mail", "Phone", "Company", "City", "Country", "Notes"]


class Place(NamedTuple):
    """A country with its phone prefix, given names, parts of family names, and cities."""

    country: str
    prefix: str
    first: str
    stems: str
    endings: str
    cities: str


PLACES = [
    Place(
        "Germany",
        "49",
        "Anna Björn Jürgen Käthe Lukas Sören Ursula Günter Marie Jonas Heike Thomas Ännchen Felix",
        "Müll Schröd Köhl Schäf Krüg Jäg Böhm Groß Weiß Hof Brand Stein Fuchs Vog Somm Kirch Lang",
        "er mann bauer feld huber berg hauser inger meier ler ke stedt",
        "Köln München Düsseldorf Göttingen Leipzig Lübeck",
    ),
    Place(
        "France",
        "33",
        "Zoé François Hélène Gaëlle Théo Noël Cécile Anaïs Benoît Léa Rémi Chloé Jérôme Lucie",
        "Lefèv Bélang Garç Herv Dub Gér Pér Beauch Merc Fourn Châtel Mor Rouss Guér Lécl Vill Mél",
        "ier ard eau aud on in ette elle ois ault ieu oux",
        "Besançon Orléans Nîmes Lyon Angoulême Rennes",
    ),
    Place(
        "Spain",
        "34",
        "José María Íñigo Lucía Ángel Begoña Raúl Inés Andrés Núria Jesús Mónica Óscar Elena",
        "Núñ Muñ Ibáñ Peñ Góm Domíng Ordóñ Vázq Márq Castr Jimén Rodríg Gutiérr Álvar Sánch Quint",
        "ez era ana illo uela edo osa al eiro ada ón ía",
        "Málaga Cádiz Logroño Girona León Sevilla",
    ),
    Place(
        "Poland",
        "48",
        "Łukasz Zofia Wojciech Małgorzata Michał Żaneta Paweł Agnieszka Sławomir Bożena Kamil",
        "Wójc Kowal Woźn Dąbrow Kaźm Zają Król Wróbl Pawłow Jabłoń Zieliń Szymań Kamiń Mazur Sikor",
        "ski cki icz ak czyk ek owicz iak ewski owski arz ik",
        "Łódź Kraków Gdańsk Poznań Wrocław Rzeszów",
    ),
    Place(
        "Sweden",
        "46",
        "Åsa Björn Märta Göran Östen Lars Annika Håkan Elin Sigrid Oskar Linnéa Jörgen Maja",
        "Åk Öb Lind Sjö Ny Bäck Hägg Söder Ek Holm Gran Lund Norr Väst Ström Hög Sand Björk Dahl",
        "esson berg ström gren man mark lund kvist blad holm strand dal",
        "Malmö Göteborg Umeå Jönköping Växjö Uppsala",
    ),
    Place(
        "United Kingdom",
        "44",
        "Siân Oliver Niamh Harry Zoë Callum Imogen Rhys Ruth Alfie Grace Ewan Chloë Stuart",
        "Whit Ash Black Brad Clay Hart Hay Kirk Nor Rad Shaw Stan Thorn Web Wynd O'Con Mac Llew",
        "ley ton field worth wood well by ham ford man ster croft",
        "Leeds Bristol Cardiff Aberdeen Norwich Bath",
    ),
]
TRADES = ["Logistics", "& Sons", "Bakery", "GmbH", "Consulting", "S.A.", "Print; Copy", '"Studio"']
MAILS = ["example.com", "example.org", "example.net", "mail.example.com", "post.example.org"]
NOTES = [
    "Met at the fair; wants a quote",
    "Prefers e-mail.\nNever call before 10:00",
    '"Very important" customer',
    "- call back in spring",
    "Moved in 2025.\nOld address: Hafenstraße 3;\n20457 Hamburg",
    "@office on Tuesdays and Thursdays",
    "Birthday: 29/02",
    "+ has a key",
]


class Contact(NamedTuple):
    """The cells of one row."""

    name: str
    email: str
    phone: str
    company: str
    city: str
    country: str
    notes: str


class Maker:
    """Invents contacts. Everything comes from `Random.random()`, which no Python changes."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed).random  # noqa: S311
        self._used: set[str] = set()

    def pick(self, items: Sequence[Item]) -> Item:
        return items[int(self._random() * len(items))]

    def chance(self, share: float) -> bool:
        return self._random() < share

    def contact(self) -> Contact:
        place = self.pick(PLACES)
        first = self.pick(place.first.split())
        last = self.pick(place.stems.split()) + self.pick(place.endings.split())
        if self.chance(0.5):
            first = f"{first} {self.pick(place.first.split())}"
        digits = "".join(self.pick("0123456789") for _ in range(8))
        name = f"{first} {last}"
        if self.chance(0.02):
            name = f"  {name} "
        return Contact(
            name=name,
            email=self.email(first, last),
            phone="" if self.chance(0.15) else self.phone(place.prefix, digits),
            company="" if self.chance(0.3) else f"{last} {self.pick(TRADES)}",
            city="" if self.chance(0.1) else self.pick(place.cities.split()),
            country="" if self.chance(0.05) else place.country,
            notes=self.pick(NOTES) if self.chance(0.2) else "",
        )

    def email(self, first: str, last: str) -> str:
        """An address that no contact has yet, sometimes in capital letters."""
        mailbox = self.pick(["{0}.{1}", "{1}.{0}", "{0}{1}", "{2}.{1}"])
        local = mailbox.format(plain(first), plain(last), plain(first)[0])
        local = "".join(letter for letter in local if letter.isalnum() or letter in ".-")
        domain, number = self.pick(MAILS), 1
        email = f"{local}@{domain}"
        while email in self._used:
            number += 1
            email = f"{local}{number}@{domain}"
        self._used.add(email)
        if self.chance(0.1):
            return email.upper()
        return email.title() if self.chance(0.03) else email

    def phone(self, prefix: str, digits: str) -> str:
        area, line = digits[:3], digits[3:]
        shape = self.pick(
            ["+{0} {1} {2}", "00{0}-{1}-{2}", "0{1}/{2}", "(0{1}) {2}", "+{0} (0){1} {2}"]
        )
        return shape.format(prefix, area, line)

    def near_duplicate(self, of: Contact) -> Contact:
        """The same person as somebody else typed it in: another address, and not quite the name."""
        first, _, last = of.name.strip().rpartition(" ")
        typo = int(self._random() * (len(last) - 2)) + 1
        name = self.pick(
            [
                f"{plain(first).title()} {plain(last).title()}",
                f"{last}, {first}",
                f"{first} {last[:typo]}{last[typo + 1]}{last[typo]}{last[typo + 2 :]}",
                f"{first.upper()} {last.upper()}",
            ]
        )
        digits = "".join(filter(str.isdigit, of.phone))[-8:]
        place = next((place for place in PLACES if place.country == of.country), PLACES[0])
        phone = self.phone(place.prefix, digits) if digits and self.chance(0.7) else of.phone
        email = self.email(first, last)
        return of._replace(name=name, email=email, phone=phone, notes="")


def plain(text: str) -> str:
    """The text in the letters of an address."""
    text = text.translate(str.maketrans("łŁßø", "lLso"))
    decomposed = unicodedata.normalize("NFKD", text)
    return decomposed.encode("ascii", "ignore").decode().lower()


def contacts() -> Iterator[tuple[Contact, Contact | None]]:
    """All contacts of `contacts.csv`, each with the one that it is a near duplicate of."""
    maker = Maker(SEED)
    people = [maker.contact() for _ in range(CONTACTS - NEAR_DUPLICATES)]
    every = len(people) // NEAR_DUPLICATES
    for position, person in enumerate(people):
        yield person, None
        if position % every == every - 1 and position // every < NEAR_DUPLICATES:
            original = people[int(position * 0.37)]
            yield maker.near_duplicate(original), original


def spoil(rows: list[list[str]]) -> None:
    """Make some rows impossible to import, one in each way that really happens."""
    rows[24][1] = ""
    rows[57][1] = "jane(at)example.com"
    rows[80][0] = ""
    rows[113][1] = rows[12][1]
    rows[146][2] = "+49 30 1234567, or evenings +49 171 7654321 (ask for Jo)"
    rows[179] += ["one cell", "too many"]
    rows[212][1] = "a b@example.com"
    rows[245][6] = "The same text over and over. " * 200


def as_csv(rows: Sequence[Sequence[str]], delimiter: str) -> str:
    text = StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows([HEADER, *rows])
    return text.getvalue()


def main(folder: Path) -> None:
    rows = [contact for contact, _ in contacts()]
    (folder / "contacts.csv").write_bytes(as_csv(rows, ";").encode("utf-8-sig"))

    maker = Maker(SEED + 1)
    western = {place.country for place in PLACES} - {"Poland"}
    people = (maker.contact() for _ in range(600))
    bad = [list(person) for person in people if person.country in western][:300]
    spoil(bad)
    (folder / "contacts_with_errors.csv").write_bytes(as_csv(bad, ",").encode("cp1252"))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
