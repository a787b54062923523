"""Which country a text in an address book means."""

from functools import cache

from operations.matching import fold

# The region's code and the names that it goes by; each is a spelling that somebody may prefer.
NAMES = """
AE United Arab Emirates|UAE
AR Argentina
AT Austria|Österreich|Autriche
AU Australia
BE Belgium|België|Belgique|Belgien
BG Bulgaria|България
BR Brazil|Brasil|Brasilien
CA Canada|Kanada
CH Switzerland|Schweiz|Suisse|Svizzera
CL Chile
CN China|中国
CO Colombia
CY Cyprus|Κύπρος
CZ Czechia|Czech Republic|Česko|Česká republika|Tschechien
DE Germany|Deutschland|Allemagne|Alemania
DK Denmark|Danmark|Dänemark
EE Estonia|Eesti
EG Egypt|مصر
ES Spain|España|Spanien|Espagne
FI Finland|Suomi|Finnland
FR France|Frankreich|Francia
GB United Kingdom|Great Britain|England|Scotland|Wales|UK|Großbritannien
GR Greece|Ελλάδα|Griechenland
HR Croatia|Hrvatska|Kroatien
HU Hungary|Magyarország|Ungarn
IE Ireland|Éire|Irland
IL Israel|ישראל
IN India|भारत|Indien
IS Iceland|Ísland|Island
IT Italy|Italia|Italien|Italie
JP Japan|日本
KR South Korea|대한민국
LT Lithuania|Lietuva
LU Luxembourg|Luxemburg
LV Latvia|Latvija
MT Malta
MX Mexico|México
NL Netherlands|The Netherlands|Nederland|Niederlande|Pays-Bas
NO Norway|Norge|Norwegen
NZ New Zealand
PL Poland|Polska|Polen|Pologne
PT Portugal
RO Romania|România|Rumänien
RS Serbia|Srbija|Србија
SE Sweden|Sverige|Schweden
SG Singapore
SI Slovenia|Slovenija
SK Slovakia|Slovensko
TR Türkiye|Turkey|Türkei
UA Ukraine|Україна
US United States|United States of America|USA|US
ZA South Africa
"""


def country_name(region: str) -> str:
    """The English name of a region, or its code when the table has none."""
    return _names().get(region, region)


def region_of(country: str) -> str:
    """The code of the region that the text names or is, or nothing."""
    code = country.strip().upper()
    if code in _names():
        return code
    region, _spelling = _spellings().get(_key(country), ("", ""))
    return region


def spelling_of(country: str) -> str:
    """The name as it is written, if only case or accents differ; else the text itself."""
    _region, spelling = _spellings().get(_key(country), ("", ""))
    return spelling or country


@cache
def _names() -> dict[str, str]:
    lines = (line.split(" ", 1) for line in NAMES.strip().splitlines())
    return {region: names.split("|")[0] for region, names in lines}


@cache
def _spellings() -> dict[str, tuple[str, str]]:
    lines = (line.split(" ", 1) for line in NAMES.strip().splitlines())
    return {_key(name): (region, name) for region, names in lines for name in names.split("|")}


def _key(country: str) -> str:
    return " ".join(fold(country).split())
