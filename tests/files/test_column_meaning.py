"""The meaning of the names of columns: in many languages, in parts, by their cells, and how far each is trusted."""

from __future__ import annotations

import pytest

from leadyard.errors import UnknownColumn
from leadyard.files.column_languages import NAMES
from leadyard.files.column_meaning import meaning_of
from leadyard.files.column_spellings import column_key
from leadyard.files.columns import ColumnPlan, plan_columns
from leadyard.people.fields import COLUMN_NAMES, TEXT_FIELDS, Profile


def fields_of(plan: ColumnPlan) -> dict[str, list[str]]:
    return {field: [plan.header[index] for index in indexes] for field, indexes in plan.fields.items()}


def profile_of(**cells: str) -> Profile:
    """Returns the profile of a row with these cells; an underscore in a name is a space."""
    names = [name.replace("_", " ") for name in cells]
    return plan_columns(names).profile(tuple(cells.values()))


@pytest.mark.parametrize(
    "header, expected",
    [
        (
            "Vorname;Nachname;Firma;Position;E-Mail-Adresse;Telefon geschäftlich;Mobiltelefon;LinkedIn-Profil",
            "firstName lastName company.name title email phone phone linkedinUrl",
        ),
        (
            "Prénom;Nom;Société;Poste;Adresse e-mail;Téléphone;Portable;Profil LinkedIn",
            "firstName lastName company.name title email phone phone linkedinUrl",
        ),
        (
            "Nombre;Apellidos;Empresa;Cargo;Correo electrónico;Teléfono;Móvil;Perfil de LinkedIn",
            "firstName lastName company.name title email phone phone linkedinUrl",
        ),
        (
            "Nome;Cognome;Azienda;Ruolo;Indirizzo e-mail;Telefono;Cellulare;Profilo LinkedIn",
            "firstName lastName company.name title email phone phone linkedinUrl",
        ),
        (
            "Nome;Sobrenome;Empresa;Cargo;Endereço de e-mail;Telefone;Celular;Perfil do LinkedIn",
            "firstName lastName company.name title email phone phone linkedinUrl",
        ),
        (
            "Voornaam;Achternaam;Bedrijf;Functie;E-mailadres;Telefoonnummer;Mobiel;LinkedIn-profiel",
            "firstName lastName company.name title email phone phone linkedinUrl",
        ),
        ("VORNAME;NACHNAME;E-MAIL", "firstName lastName email"),
        ("prenom;nom de famille;courriel", "firstName lastName email"),
    ],
)
def test_headers_in_seven_languages(header: str, expected: str) -> None:
    names = header.split(";")
    plan = plan_columns(names)
    found = {index: field for field, indexes in plan.fields.items() for index in indexes}
    assert [found.get(index) for index in range(len(names))] == expected.split()
    assert set(plan.how) <= {"spelling", "parts"}


@pytest.mark.parametrize(
    "header",
    [
        "Imię i nazwisko uczestnika;Firma/Instytucja;E-mail kontaktowy;Telefon stacjonarny",
        "Jméno kontaktní osoby;Název organizace;Kontaktní e-mail;Tel. číslo",
        "Adınız Soyadınız;Firmanız;E-posta Adresiniz;Telefon Numaranız",
        "Fullständigt namn;Företagets namn;E-postadress (arbete);Telefon arbete",
        "Yhteyshenkilön nimi;Yrityksen nimi;Työsähköposti;Puhelinnumero",
        "Kapcsolattartó neve;Cégnév;E-mail-cím;Telefonszám",
        "Имя контакта;Наименование организации;Адрес электронной почты;Контактный телефон",
        "Ονοματεπώνυμο;Επωνυμία εταιρείας;E-mail επικοινωνίας;Τηλέφωνο",
        "担当者氏名;会社名・組織名;E-mailアドレス;お電話番号",
        "您的姓名;公司名称;您的邮箱;聯絡電話",
        "성명;회사명;회사 이메일;휴대전화번호",
        "الاسم الكامل;اسم الشركة;البريد الالكتروني للعمل;رقم الجوال",
        'שם מלא;שם החברה;דוא"ל;מספר טלפון',
        "Vor-/Nachname;Firma/Institution;Mailadr.;Durchwahl",
        "Prénom NOM;Société actuelle;Adresse électronique;Ligne directe",
        "¿Cuál es tu nombre completo?;¿En qué empresa trabajas?;Correo;WhatsApp",
        "Wat is je naam?;Bij welk bedrijf werk je?;Wat is je e-mailadres?;Tel.nr.",
        "Participant's name;Employer / Institution;Alt Email;DDI",
    ],
)  # fmt: skip
def test_headers_of_other_languages_and_forms(header: str) -> None:
    plan = plan_columns(header.split(";"))
    found = {index: field for field, indexes in plan.fields.items() for index in indexes}
    assert [found.get(index) for index in range(4)] == ["name", "company.name", "email", "phone"]


@pytest.mark.parametrize("name", [
    "Ad", "Ad Name", "By", "Ten", "HP", "CEP", "Roll No", "Deal - Title", "Ticket: Name", "Job: Name",
    "Opportunity / Name",
    "Employment Type", "Do you agree?", "May we email you?", "How did you hear about us?", "What is your budget?",
])  # fmt: skip
def test_words_of_one_language_are_not_taken_for_another(name: str) -> None:
    assert plan_columns([name]).fields == {}


@pytest.mark.parametrize(
    "name, field",
    [
        ("Person - Name", "name"), ("Person - Email - Work", "email"), ("Person - Phone - Mobile", "phone"),
        ("Emails / Primary Email", "email"), ("Linkedin Url (Default)", "linkedinUrl"), ("Emails", "email"),
        ("E-mail 2 - Value", "email"), ("E-Mail 2: Adresse", "email"), ("PhoneNumbers", "phone"),
        ("LinkedIn Contact Profile URL", "linkedinUrl"), ("Contact LI Profile URL", "linkedinUrl"),
        ("LinkedIn Company Profile URL", "company.linkedinUrl"), ("Company LI Profile Url", "company.linkedinUrl"),
        ("Employer LinkedIn", "company.linkedinUrl"), ("Contact Full Name", "name"), ("organization_1", "company.name"),
        ("Organization 1 - Title", "title"), ("Primary Industry", "company.industry"),
        ("Non Primary E-mails", "email"), ("Recommended Personal Email", "email"), ("Sales Navigator URL",
        "linkedinUrl"),
        ("Company HQ Phone", "phone"), ("Direct Phone Number", "phone"), ("Employer Website", "company.website"),
        ("Job Title (Current)", "title"), ("Contact City", "city"), ("Ort geschäftlich", "city"), ("Companies",
        "company.name"),
    ],
)  # fmt: skip
def test_known_names_in_parts(name: str, field: str) -> None:
    meaning = meaning_of(name)
    assert meaning is not None
    assert meaning.field == field


@pytest.mark.parametrize(
    "name",
    [
        "Email Status", "Email Confidence", "E-mail Type", "E-mail Display Name", "E-Mail: Anzeigename",
        "Email 1 Validation",
        "Email Opt Out", "Fax Number", "Phone 1 Type", "Contact Owner", "Lead Owner.id", "Company City",
        "companyLocation",
        "Company HQ City", "LinkedIn Followers", "Linkedin Id", "Home", "Company Id", "Record ID", "titleDescription",
        "Contact Owner Email", "Do Not Call", "Email Sent", "Last Contacted", "Account Owner - Name",
        "customFields.email",
        "organization_start_1", "Number of sources", "", "x" * 500,
    ],
)  # fmt: skip
def test_names_that_only_resemble_a_field_stay_custom(name: str) -> None:
    assert meaning_of(name) is None


def test_every_other_name_is_spelled_as_it_is_compared_and_means_one_field() -> None:
    every = [(name, field) for field, names in NAMES.items() for name in names]
    assert [name for name, _ in every if column_key(name) != name] == []
    assert NAMES.keys() <= set(COLUMN_NAMES)
    english = {spelling: field.json_name for field in TEXT_FIELDS for spelling in field.spellings}
    both = {name: {field, english.get(name, field)} for name, field in every}
    assert {name: fields for name, fields in both.items() if len(fields) > 1} == {}
    assert len({name for name, _ in every}) == len(every)


def test_the_order_of_trust_is_that_of_the_contract() -> None:
    emails = ["Secondary Email", "Home Email", "Other Email", "Direct Email", "Work Email", "Primary Email"]
    assert fields_of(plan_columns(emails))["email"] == list(reversed(emails))
    phones = ["Other Phone", "Home Phone", "Corporate Phone", "Work Phone", "Mobile Phone", "Direct Phone"]
    assert fields_of(plan_columns(phones))["phone"] == list(reversed(phones))
    profiles = ["Sales Navigator URL", "Linkedin URL Unique ID", "Linkedin URL Public"]
    assert fields_of(plan_columns(profiles))["linkedinUrl"] == list(reversed(profiles))
    numbered = ["E-mail 2 - Value", "E-mail 1 - Value"]
    assert fields_of(plan_columns(numbered))["email"] == list(reversed(numbered))


def test_row_by_row_the_first_usable_cell_wins_and_the_others_are_kept() -> None:
    plan = plan_columns(["Work Email", "Home Email", "Secondary Email"])
    assert plan.profile(("a@w.org", "a@h.org", "")) == Profile(email="a@w.org", custom_fields={"Home Email": "a@h.org"})
    assert plan.profile(("ask", "a@h.org", "")) == Profile(email="a@h.org", custom_fields={"Work Email": "ask"})
    assert plan.profile(("", "", "a@s.org")) == Profile(email="a@s.org")
    assert plan.profile(("a@w.org", "a@w.org", " ")) == Profile(email="a@w.org")
    assert plan.profile(("ask her", "no address", "")).email == "ask her", "the checks report it"
    assert plan.profile(("'=1+1", "a@h.org", "")).custom_fields == {"Work Email": "=1+1"}


def test_a_cell_is_usable_if_the_import_can_use_it() -> None:
    emails = plan_columns(["Work Email", "Home Email"])
    for nothing in ("N/A", "not found", "email_not_unlocked@domain.com"):
        assert emails.profile((nothing, "a@h.org")) == Profile(email="a@h.org"), "a placeholder is an empty cell"
    sender = emails.profile(("noreply@w.org", "a@h.org"))
    assert sender == Profile(email="a@h.org", custom_fields={"Work Email": "noreply@w.org"})
    several = emails.profile(("Ada <a@w.org>; b@w.org", "a@h.org"))
    assert several == Profile(email="Ada <a@w.org>; b@w.org", custom_fields={"Home Email": "a@h.org"})
    phones = plan_columns(["Direct Phone", "Mobile Phone"])
    assert phones.profile(("4.91763E+11", "0171 1234567")).phone == "0171 1234567"
    profiles = plan_columns(["LinkedIn URL", "Linkedin URL Unique ID"])
    sales = f"https://www.linkedin.com/sales/lead/ACwAA{'b' * 34},NAME_SEARCH,x"
    assert (
        profiles.profile((sales, "https://www.linkedin.com/in/ada")).linkedin_url == "https://www.linkedin.com/in/ada"
    )
    link = '=HYPERLINK("https://www.linkedin.com/in/ada","Profile")'
    assert profiles.profile(("Profile", link)) == Profile(linkedin_url=link, custom_fields={"LinkedIn URL": "Profile"})
    companies = plan_columns(["Company", "Company Name for Emails"])
    assert companies.profile(("-", "Acme")) == Profile(company_name="Acme")


def test_a_public_profile_is_better_than_a_member_id_in_any_column() -> None:
    member, public = f"https://www.linkedin.com/in/ACwAA{'b' * 34}", "https://www.linkedin.com/in/ada"
    plan = plan_columns(["LinkedIn URL", "Linkedin URL Unique ID"])
    assert plan.profile((member, public)).linkedin_url == public
    assert plan.profile((member, "")).linkedin_url == member
    assert plan.profile((member, public)).custom_fields == {"LinkedIn URL": member}


def test_linkedins_member_id_stands_in_for_an_address_that_cannot_be_used() -> None:
    member = f"ACwAAA{'c' * 33}"
    plan = plan_columns(["profileUrl", "vmid"])
    lost = plan.profile(("https://www.linkedin.com/talent/profile/AEMAA1", member))
    assert lost.public_identifier == member
    assert lost.custom_fields == {"profileUrl": "https://www.linkedin.com/talent/profile/AEMAA1", "vmid": member}
    known = plan.profile(("https://www.linkedin.com/in/ada", member))
    assert (known.linkedin_url, known.public_identifier) == ("https://www.linkedin.com/in/ada", None)
    assert plan.profile(("", "12345")).public_identifier is None


def test_city_state_and_country_make_a_location_where_there_is_none() -> None:
    assert profile_of(Email="a@x.org", City="Austin", State="Texas", Country="US").location == "Austin, Texas, US"
    assert profile_of(Email="a@x.org", Person_City="Bath", Person_State="", Country="UK").location == "Bath, UK"
    assert profile_of(Email="a@x.org", City="Austin", Location="Remote").location == "Remote"
    assert profile_of(Email="a@x.org", City="Austin", Country="Austin").location == "Austin"
    assert profile_of(Email="a@x.org", State="active").location is None
    assert profile_of(Email="a@x.org", Company_City="Rome", Company_Country="IT").location is None
    kept = profile_of(Email="a@x.org", City="Austin", Country="US").custom_fields
    assert kept == {"City": "Austin", "Country": "US"}


def test_a_name_alone_is_the_whole_name() -> None:
    assert fields_of(plan_columns(["Nom", "Email"])) == {"name": ["Nom"], "email": ["Email"]}
    assert fields_of(plan_columns(["Nome", "Email"])) == {"name": ["Nome"], "email": ["Email"]}
    assert fields_of(plan_columns(["Vorname", "Name"])) == {"firstName": ["Vorname"], "lastName": ["Name"]}
    assert fields_of(plan_columns(["First Name", "Name"])) == {"firstName": ["First Name"], "name": ["Name"]}


def rows(*columns: list[str]) -> list[tuple[str, ...]]:
    return list(zip(*columns, strict=True))


def test_columns_are_understood_by_their_cells_whatever_they_are_called() -> None:
    profiles = [f"https://www.linkedin.com/in/person-{n}" for n in range(10)]
    emails = [f"p{n}@example.com" for n in range(8)] + ["", "n/a"]
    phones = [f"+49 221 5550{n}0" for n in range(10)]
    plan = plan_columns(["A", "B", "C", "D"], sample=rows(profiles, emails, phones, ["x"] * 10))
    assert fields_of(plan) == {"linkedinUrl": ["A"], "email": ["B"], "phone": ["C"]}
    assert plan.how == ("content", "content", "content", "custom")


def test_cells_of_other_people_and_other_numbers_are_not_the_persons() -> None:
    people = [f"p{n}@example.com" for n in range(10)]
    for name, cells in {
        "Lead owner": people, "Sender": people, "Assigned to": ["sam@corp.example"] * 9 + ["kim@corp.example"],
        "Code": [f"+49 221 5550{n}0" for n in range(10)], "When": [f"2026-03-0{n}" for n in range(10)],
        "Number": [str(3152079000000 + n) for n in range(10)], "Version": [f"1.{n}" for n in range(10)],
        "Server": [f"10.0.0.{n}" for n in range(10)], "Company page": ["https://www.linkedin.com/company/acme"] * 10,
        "Notes": ["see p@example.com"] * 10, "Empty": [""] * 10,
    }.items():  # fmt: skip
        assert fields_of(plan_columns([name], sample=rows(cells))) == {}, name


def test_a_column_of_unknown_numbers_is_not_used_beside_one_of_phones() -> None:
    numbers = [f"+49 221 5550{n}0" for n in range(10)]
    assert fields_of(plan_columns(["Mobile", "X"], sample=rows(numbers, numbers))) == {"phone": ["Mobile"]}


def test_a_name_comes_before_the_cells() -> None:
    emails = [f"p{n}@example.com" for n in range(10)]
    plan = plan_columns(["Contact via", "Email"], sample=rows(emails, [""] * 10))
    assert fields_of(plan) == {"email": ["Email", "Contact via"]}
    assert plan.how == ("content", "spelling")


def test_a_mapping_names_several_columns_in_order() -> None:
    header = ["Work Email", "Home Email", "Email", "A"]
    plan = plan_columns(header, mapping={"email": ["Home Email", "A"], "name": "Work Email"})
    assert fields_of(plan) == {"email": ["Home Email", "A"], "name": ["Work Email"]}
    assert list(plan.custom) == ["Email"], "a mapped field takes nothing but its columns"
    assert plan.how == ("mapped", "mapped", "custom", "mapped")
    with pytest.raises(UnknownColumn, match="cannot have 2 columns"):
        plan_columns(header, mapping={"customFields.x": ["A", "Email"]})
