"""Texts that stand for an empty cell, and e-mail addresses that are not the address of one person.

The lists are from exports of contact databases, CRMs and spreadsheets. A text is on a list only if it is not the answer
to a question: `None` is a place in Italy and `unknown` a result of an e-mail check.
"""

from __future__ import annotations

import re
from collections.abc import Iterable


def _listed(texts: str, separator: str | None = None) -> frozenset[str]:
    return frozenset(texts.split(separator))


# Written by programs and spreadsheets. They mean nothing in any cell.
_NO_VALUE = _listed(
    "n/a #n/a n.a. n.a n\\a <n/a> - -- --- ---- – — _ . .. ... … ? ?? ??? * null (null) <null> [null] #null! "
    "nan #ref! #value! #name? #div/0! #num! undefined (blank) (empty) [empty] (none) [none] (unknown) \\n "
    "[] {} ❌ ✗ ✖ ✘"
)
# Written by people and by the tools that collect contacts. Such a text can be an answer in a custom field.
_NOT_THERE = _listed(
    "none|nil|na|unknown|not found|not available|not provided|not specified|no email|no e-mail|no email found|"
    "no phone|no linkedin|no linkedin found|no data|unavailable|to be determined|tbd|keine angabe|k.a.|k. a.|"
    "unbekannt|nicht vorhanden|nicht gefunden|inconnu|inconnue|non disponible|non renseigné|néant|desconocido|"
    "no disponible|sconosciuto|non disponibile|desconhecido|não disponível|onbekend|niet gevonden",
    "|",
)
# The same, in any field but a name.
_NOT_GIVEN = _listed(
    "not set|not given|not listed|not specified|not applicable|no result|no results|no results found|no value|no info|"
    "no information|no company|no title|no website|no url|info requested|information requested|"
    "keine|ohne angabe|o.a.|o. a.|nicht angegeben|nicht bekannt|"
    "nicht verfügbar|aucun|aucune|non communiqué|non communiquée|non précisé|non disponibles|ninguno|ninguna|sin datos|"
    "sin especificar|no especificado|no consta|nessuno|nessuna|non specificato|non indicato|geen|niet bekend|"
    "niet beschikbaar|niet opgegeven|nenhum|nenhuma|sem informação|não informado|não especificado",
    "|",
)
# Where an address, a phone or a profile should be.
_NO_CONTACT = _listed(
    "not known|not shared|missing|hidden|locked|private|not yet|no email available|email not found|e-mail not found|"
    "email not available|no phone found|no phone number|phone not found|no number|no mobile|no linkedin profile|"
    "no profile|no profile found|access email|access phone|access mobile|request email|request phone|"
    "request phone number|request mobile number|show email|get email|reveal email|unlock|unlock email|x|xx|xxx|xxxx|"
    "nd|n.d.|n/d|nc|n.c.|n/c|kein|keine e-mail|keine email|kein telefon|keine telefonnummer|pas d'email|pas d’email|"
    "pas d'e-mail|sans|sans email|sin correo|sin email|sin teléfono|nessuna email|geen email|geen e-mail|sem email|"
    "sem e-mail",
    "|",
)
# In more languages, in any field but a name.
_NOT_GIVEN_ABROAD = _listed(
    "brak|brak danych|nie dotyczy|nie podano|nieznany|není|neuvedeno|neznámý|nezadáno|neuvedené|nie je|"
    "neznámy|yok|bilinmiyor|belirtilmemiş|mevcut değil|ej angivet|saknas|okänd|okänt|uppgift saknas|ukendt|"
    "ikke angivet|ikke oppgitt|ukjent|mangler|ei ole|ei tiedossa|ei ilmoitettu|tuntematon|puuttuu|nincs|"
    "nincs adat|ismeretlen|nincs megadva|nu este cazul|nespecificat|necunoscut|lipsă|нет|нет данных|не указан|"
    "не указана|не указано|неизвестно|отсутствует|немає|немає даних|не вказано|невідомо|няма|nema|nepoznato|"
    "nije navedeno|δεν υπάρχει|άγνωστο|なし|無し|不明|未設定|未登録|無|无|未知|暂无|没有|未填写|無資料|없음|"
    "미정|미등록|알 수 없음|אין|לא ידוע|לא זמין|لا يوجد|غير معروف|غير متوفر|tidak ada|tidak diketahui|"
    "không có|không rõ|ไม่มี",
    "|",
)
_BRACKETED = _listed("(not set)|[not set]|[not provided]|(not provided)|(no value)|[no value]|(no name)", "|")
_CONTACTS = frozenset({"email", "phone", "linkedin_url", "public_identifier"})
_PROFILES = frozenset({"linkedin_url", "public_identifier"})
_NAMES = frozenset({"first_name", "last_name", "name"})
_REAL_NAMES = frozenset({"Null", "None", "Nil", "Na", "Nan"})
# The titles by which people are addressed. A column named Title may contain these instead of the job.
_HONORIFICS = _listed(
    "mr mrs ms miss mx dr prof sir madam mister herr frau hr fr monsieur madame mademoiselle mme mlle señor "
    "señora señorita sr sra srta signor signora signorina sig sig.ra dott dott.ssa dhr mevr mevrouw mw senhor "
    "senhora"
)


def _spellings(texts: Iterable[str]) -> frozenset[str]:
    forms = (str.lower, str.upper, str.capitalize, str.title, _nouns_in_capitals)
    return frozenset(form(text) for text in texts for form in forms)


def _nouns_in_capitals(text: str) -> str:
    """Returns the usual German spelling, such as `keine Angabe`."""
    first, _, others = text.partition(" ")
    return f"{first} {others.title()}" if others else text


_TWO_HONORIFICS = (f"{one} {two}." for one in ("herr", "frau", "mr.", "mrs.", "ms.", "prof.") for two in ("dr", "prof"))

SUSPICIOUS = _spellings(
    [
        *_NO_VALUE,
        *_BRACKETED,
        *_NOT_THERE,
        *_NOT_GIVEN,
        *_NOT_GIVEN_ABROAD,
        *_HONORIFICS,
        *(f"{word}." for word in _HONORIFICS),
        *_TWO_HONORIFICS,
        *("me", "n-a"),
    ]
)
"""The usual spellings of everything that `is_placeholder` and `is_honorific` accept, for one look at a whole row."""

# Tools show `j***@acme.com` until the address is paid for, and several people have it.
_MASKS = "*•●…"
_NOT_FOUND = r"(?:email[-_.]?)?(?:not[-_.]?|un)(?:unlocked|available|found|provided|given|applicable)"
_LOCKED = re.compile(
    rf"(?:{_NOT_FOUND}|e?mail[-_.]?(?:locked|hidden|unavailable)|no[-_.]?(?:e[-_.]?)?mail|none|null|nil|undefined|"
    rf"unknown)(?:[-_.]?\d{{1,6}}|\+[^@]*)?@"
    r"|(?:na|x+|test|email|mail|user|name)@(?:na|none|null|x+|noemail|nomail|unknown|test|domain|email)\.[a-z]+\Z",
    re.ASCII,
)
# What a program writes as an address whose name is missing, and the address that leads each member to itself.
_NO_PROFILE = re.compile(
    r"(?:https?://)?(?:[a-z]{1,3}\.)?linkedin\.com/(?:in|pub)(?:/(?:null|undefined|nan|none|nil|n%2fa|n-?a|unknown|me|-)?)?/?",
    re.ASCII,
)
_NO_REPLY = re.compile(r"(?:(?:no|do[-_.]?not|dont)[-_.]?reply(?:[-_.+][^@]*)?|mailer-daemon)@", re.ASCII)
_NO_PERSON = re.compile(f"{_LOCKED.pattern}|{_NO_REPLY.pattern}", re.ASCII)

# RFC 2142 has the English names of functions, and the others are those on the contact pages of companies.
_FUNCTIONS = _listed(
    "abuse accounting accounts accueil admin administracion administration all bestellung billing booking "
    "bookings buchhaltung buero büro career careers comercial commercial compta comptabilite contabilidad "
    "contact contacto contactus contato customercare customerservice direccion direction einkauf empleo "
    "enquiries enquiry events export feedback finance general geral hallo hello hello help helpdesk hostmaster "
    "hr info infos inkoop inquiries inquiry invoice invoices it jobs kanzlei klantenservice kontakt "
    "kundenservice legal mail mailbox marketing media news newsletter noc office orders partners personal post "
    "postmaster praxis presse press pr privacy procurement purchasing reception recepcion recrutement "
    "reservations reservas rezeption rh root sales secretaria secretariat security segreteria sekretariat "
    "service services shop staff store studio support team usenet uucp vendas ventas vendite verkauf verkoop "
    "vertrieb verwaltung webmaster welcome willkommen www "
    "biuro sekretariat sprzedaz obsluga rekrutacja kadry ksiegowosc zamowienia obchod podpora fakturace uctarna predaj "
    "iletisim bilgi satis destek muhasebe insankaynaklari kundtjanst forsaljning ekonomi salg kundeservice firmapost "
    "faktura asiakaspalvelu myynti toimisto laskutus iroda ugyfelszolgalat penzugy ertekesites vanzari comenzi "
    "prodaja prodaza podrska zakaz zakupki otdelkadrov buhgalteria priemnaya eigyo soumu saiyo toiawase"
)
_COUNTRY_OR_NUMBER = re.compile(r"[-_.](?:[a-z]{2}|\d{1,3})|\d{1,3}", re.ASCII)


def is_placeholder(text: str, attribute: str | None = None) -> bool:
    """Returns whether a trimmed text stands for an empty cell, in the field `attribute`, or in a custom field for None.

    `Null`, `None` and `Na` are people's names too, so in a name only another spelling stands for an empty cell.
    """
    word = text.casefold()
    if attribute in _CONTACTS and (word in _NO_CONTACT or (attribute == "phone" and not word.strip("+ ()-./0"))):
        return True
    if attribute is not None and attribute not in _NAMES and (word in _NOT_GIVEN or word in _NOT_GIVEN_ABROAD):
        return True
    if attribute in _PROFILES and _NO_PROFILE.fullmatch(word):
        return True
    means_nothing = word in _NO_VALUE or word in _BRACKETED or (attribute is not None and word in _NOT_THERE)
    return means_nothing and not (attribute in _NAMES and text in _REAL_NAMES)


def is_honorific(text: str) -> bool:
    """Returns whether a text consists of forms of address only, such as `Mr.` or `Frau Dr.`."""
    words = text.casefold().split()
    return bool(words) and all(word.rstrip(".") in _HONORIFICS for word in words)


def is_of_no_person(address: str) -> bool:
    """Returns whether a normalised address is locked or does not reply."""
    return "*" in address or _NO_PERSON.match(address) is not None


def is_locked_email(address: str) -> bool:
    """Returns whether a normalised address stands for an address that a tool did not reveal or did not find."""
    return _LOCKED.match(address) is not None or any(mask in address for mask in _MASKS)


def is_no_reply(address: str) -> bool:
    """Returns whether a normalised address only sends, so that it belongs to no person."""
    return _NO_REPLY.match(address) is not None


def is_shared_mailbox(address: str) -> bool:
    """Returns whether a normalised address is that of a function, such as `info@` or `sales.de@`, and so of several
    people."""
    local = address.partition("@")[0].partition("+")[0]
    if local in _FUNCTIONS:
        return True
    function = local.rstrip("0123456789") if local[-1:].isdigit() else local[:-3]
    function = function.rstrip("-_.")
    return function in _FUNCTIONS and _COUNTRY_OR_NUMBER.fullmatch(local[len(function) :]) is not None
