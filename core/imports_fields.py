"""What a column of a foreign table means, guessed from headers in three languages; a row as an entry."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.accounts import BuyingRole
from core.errors import InputRefused
from core.i18n import N_
from core.tabular import Sheet
from core.values import normal_email, normal_phone

FIELDS: dict[str, str] = {
    "name": N_("Full name"),
    "first_name": N_("First name"),
    "last_name": N_("Last name"),
    "email": N_("E-mail"),
    "phone": N_("Telephone"),
    "position": N_("Position"),
    "role": N_("Role in buying"),
    "language": N_("Language"),
    "tags": N_("Tags of the contact"),
    "company": N_("Company"),
    "code": N_("Company code"),
    "industry": N_("Industry"),
    "region": N_("Region"),
    "country": N_("Country"),
    "employees": N_("Number of employees"),
    "source": N_("Source of the client"),
}
"""What a column may hold, by the name of its field."""

HEADERS: dict[str, str] = {
    "name": "name fullname contact contactname contactperson person фио имяифамилия контакт контактноелицо"
    " vardaspavarde kontaktas kontaktinisasmuo asmuo",
    "first_name": "firstname givenname имя vardas",
    "last_name": "lastname surname familyname фамилия pavarde",
    "email": "email mail emailaddress mailaddress почта электроннаяпочта элпочта адресэлпочты"
    " емейл емайл имейл elpastas pastas elpastoadresas epastas",
    "phone": "phone telephone tel mobile cell phonenumber mobilephone телефон тел мобильный мобильныйтелефон"
    " номертелефона telefonas telnr telefononumeris mobilus mobilusis",
    "position": "position jobtitle title job должность pareigos",
    "role": "role buyingrole роль рольвзакупке vaidmuo",
    "language": "language lang язык kalba",
    "tags": "tags tag labels метки теги тег метка zymos zyma zymes",
    "company": "company companyname account client organization organisation firm customer компания"
    " названиекомпании организация клиент фирма предприятие imone imonespavadinimas klientas bendrove"
    " organizacija pavadinimas",
    "code": "code companycode taxcode vat vatcode registrationnumber инн кодкомпании кодпредприятия"
    " унп imoneskodas kodas pvmkodas",
    "industry": "industry sector отрасль сфера сферадеятельности veikla veiklossritis sritis pramonessaka",
    "region": "region city district area регион город область район regionas miestas apskritis rajonas",
    "country": "country страна salis valstybe",
    "employees": "employees employeecount headcount staff size сотрудники числосотрудников"
    " количествосотрудников размер darbuotojai darbuotojuskaicius dydis",
    "source": "source leadsource origin источник источникклиента saltinis",
}
"""How headers are written, without spaces, marks and diacritics."""

LANGUAGES: dict[str, str] = {
    "lt": "lt lithuanian lietuviu lietuviukalba lietuviskai литовский",
    "ru": "ru russian rusu rusukalba rusiskai русский",
    "en": "en english anglu anglukalba angliskai английский",
}

Mapping_ = Mapping[int, str]
"""Field by column number."""


def folded(text: str) -> str:
    """A word as it is compared: small letters and digits only, without diacritics."""
    bare = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", text.casefold())
        if not unicodedata.combining(letter)
    )
    return re.sub(r"[\W_]+", "", bare)


_MEANINGS = {folded(word): name for name, words in HEADERS.items() for word in words.split()}
_LANGUAGE_OF = {folded(word): key for key, words in LANGUAGES.items() for word in words.split()}


def guess(sheet: Sheet) -> dict[int, str]:
    """Which field each column holds: by its header, else by addresses in it; each field once at most."""
    found: dict[int, str] = {}
    for column, title in enumerate(sheet.header):
        name = _MEANINGS.get(folded(title))
        if name is not None and name not in found.values():
            found[column] = name
    if "email" not in found.values():
        for column in range(len(sheet.header)):
            cells = [row[column] for row in sheet.rows[:50] if row[column]]
            if column not in found and cells and sum("@" in cell for cell in cells) > len(cells) * 0.7:
                found[column] = "email"
                break
    if {"first_name", "last_name"} & set(found.values()) and "name" in found.values():
        found = {column: name for column, name in found.items() if name not in {"first_name", "last_name"}}
    return found


@dataclass(frozen=True, slots=True)
class Entry:
    """One row, understood; or why it cannot be."""

    row: int
    """As a spreadsheet counts: the header is 1."""
    values: dict[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    employees: int | None = None
    error: str = ""
    """What is wrong, as a message to be translated; empty where nothing is."""


EMPTY = N_("There is neither an address, nor a number, nor a name.")
BAD_EMAIL = N_("That is not an e-mail address.")
BAD_PHONE = N_("That is not a telephone number.")
BAD_EMPLOYEES = N_("The number of employees is not a number.")
REPEATED = N_("The same address stands in an earlier row.")
REPEATED_PERSON = N_("The same person stands in an earlier row.")


def entries(sheet: Sheet, mapping: Mapping_) -> list[Entry]:
    """Every row as an entry, in their order; an address that was there before makes a row an error, and where
    there is none, a person."""
    seen: set[str] = set()
    people: set[tuple[str, ...]] = set()
    made = []
    for number, row in sheet.numbered():
        one = _entry(number, row, mapping)
        address = one.values.get("email", "")
        if address and not one.error:
            if address in seen:
                one = Entry(number, one.values, error=REPEATED)
            seen.add(address)
        elif not one.error:
            person = tuple(folded(one.values.get(name, "")) for name in ("name", "phone", "company", "code"))
            if person in people:
                one = Entry(number, one.values, error=REPEATED_PERSON)
            people.add(person)
        made.append(one)
    return made


def _entry(number: int, row: Sequence[str], mapping: Mapping_) -> Entry:
    raw = {name: row[column] for column, name in mapping.items() if column < len(row) and row[column]}
    values = {name: " ".join(text.split()) for name, text in raw.items()}
    tags = tuple(
        dict.fromkeys(part.strip()[:60] for part in re.split("[,;|]", values.pop("tags", "")) if part.strip())
    )
    parts = [values.pop("first_name", ""), values.pop("last_name", "")]
    if any(parts) and "name" not in values:
        values["name"] = " ".join(part for part in parts if part)
    try:
        if "email" in values:
            values["email"] = normal_email(values["email"])
    except InputRefused:
        return Entry(number, values, error=BAD_EMAIL)
    try:
        if "phone" in values:
            values["phone"] = normal_phone(values["phone"])
    except InputRefused:
        return Entry(number, values, error=BAD_PHONE)
    if not {"email", "phone", "name"} & values.keys():
        return Entry(number, values, error=EMPTY)
    employees = None
    if text := values.pop("employees", ""):
        digits = re.sub(r"[\s\u00a0]", "", text)
        if not digits.isascii() or not digits.isdecimal() or len(digits) > 8:
            return Entry(number, values, error=BAD_EMPLOYEES)
        employees = int(digits)
    if "language" in values:
        known = _LANGUAGE_OF.get(folded(values.pop("language")))
        if known:
            values["language"] = known
    if "role" in values and values["role"] not in BuyingRole.__members__.values():
        values.pop("role")
    return Entry(number, values, tags, employees)
