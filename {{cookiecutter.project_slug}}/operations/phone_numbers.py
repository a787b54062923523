"""Phone numbers in the international form, where there is no doubt what they are."""

import re
from functools import cache

import phonenumbers

from operations.countries import country_name

# Nothing but a number, perhaps with an extension: "030 123 or 456 (Jo)" has more to say.
NUMBER = re.compile(r"(?:tel:)?[+\d\s().\-/]*\d\s*(?:(?:ext\.?|x|#)\s*\d{1,7})?", re.IGNORECASE)


def international(text: str, region: str) -> str:
    """The number as `+49 30 1234567`, or the text itself when there is any doubt.

    `region` is the country of numbers without a prefix; when it is empty they stay as they are.
    """
    if not NUMBER.fullmatch(text):
        return text
    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return text
    significant = phonenumbers.national_significant_number(number)
    digits = "".join(filter(str.isdecimal, text))
    # Some countries write a mobile number in two ways; only one of them has the same digits.
    same = digits.endswith(f"{significant}{number.extension or ''}")
    if not same or not phonenumbers.is_valid_number(number):
        return text
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


@cache
def _choices() -> list[tuple[str, str]]:
    codes = ((each, phonenumbers.country_code_for_region(each)) for each in _regions())
    return [(region, f"{country_name(region)} (+{code})") for region, code in codes]


def _regions() -> list[str]:
    """By name; those without one, which are only a code, at the end."""
    regions: set[str] = set(phonenumbers.SUPPORTED_REGIONS)
    return sorted(
        regions, key=lambda region: (country_name(region) == region, country_name(region))
    )


def region_choices() -> list[tuple[str, str]]:
    """Code and label of every country that has phone numbers."""
    return list(_choices())
