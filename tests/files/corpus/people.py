"""The people of the corpus. All of them, their firms, addresses and numbers are invented."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person as the tools know them. "" is a value that a tool does not have."""

    first: str
    last: str
    key: str
    title: str = ""
    company: str = ""
    headline: str = ""
    about: str = ""
    photo: str = ""
    salutation: str = ""
    email: str = ""
    email_work: str = ""
    email_direct: str = ""
    email_other: str = ""
    email_home: str = ""
    email_second: str = ""
    phone: str = ""
    phone_direct: str = ""
    phone_mobile: str = ""
    phone_work: str = ""
    phone_company: str = ""
    phone_home: str = ""
    phone_other: str = ""
    vanity: str = ""
    member: str = ""
    company_page: str = ""
    website: str = ""
    industry: str = ""
    city: str = ""
    state: str = ""
    country: str = ""

    def at(self, tool: str) -> Person:
        """Returns the person with addresses of this tool only, so that no two files have the same people."""
        addresses = {
            name: getattr(self, name).replace("@", f"@{tool}.")
            for name in ("email", "email_work", "email_direct", "email_other", "email_home", "email_second")
        }
        vanity = f"{self.vanity}-{tool}" if self.vanity else ""
        digits = f"{sum(map(ord, tool)):04d}"
        member = f"{self.member[:-4]}{digits}" if self.member else ""
        return replace(self, **addresses, vanity=vanity, member=member)


def _member(letter: str) -> str:
    return f"ACwAAA{letter}xYzBcDeFgHiJkLmNoPqRsTuVwX-_01234567"


PEOPLE = (
    Person(
        first="Mira", last="Sandoval", key="K-1001", title="Head of Logistics", company="Brightmoor Freight",
        headline="Moving boxes since 2009", about="Ships things.\nLikes maps.", photo="https://img.example/mira.png",
        salutation="Ms.", email="mira@brightmoor.example", email_work="m.sandoval@brightmoor.example",
        email_direct="mira.d@brightmoor.example", email_other="mira.other@post.example",
        email_home="mira.home@post.example", email_second="mira2@post.example", phone="+1 555 0110",
        phone_direct="+1 555 0111", phone_mobile="+1 555 0112", phone_work="+1 555 0113", phone_company="+1 555 0114",
        phone_home="+1 555 0115", phone_other="+1 555 0116", vanity="mira-sandoval", member=_member("a"),
        company_page="https://www.linkedin.com/company/brightmoor-freight", website="https://brightmoor.example",
        industry="Logistics", city="Reno", state="Nevada", country="United States",
    ),
    # Only a private address and no profile.
    Person(
        first="Jürgen", last="Weißmüller", key="K-1002", title="Einkäufer", company="Öhrling & Söhne KG",
        salutation="Herr", email_home="juergen@heim.example", phone_home="+49 30 5550121", city="Köln",
        country="Deutschland", industry="Maschinenbau",
    ),
    # Only a profile.
    Person(
        first="Zoé", last="L’Hermite", key="K-1003", title="Directrice", company="Atelier “Bleu”, SARL",
        headline="Peinture & design", vanity="zoe-lhermite-4b", phone_mobile="+33 6 55 50 01 31", city="Lyon",
        country="France",
    ),
    # Only a member id.
    Person(
        first="Bao", last="Nguyễn", key="K-1004", title="Engineer; Team Lead", company="Hồng Hà Ltd",
        member=_member("d"), country="Vietnam",
    ),
    Person(
        first="Ana", last="d'Orey e Sá", key="K-1005", title="Gestora", company="Mar Azul, Lda", salutation="Sra.",
        email="ana@marazul.example", email_work="ana@marazul.example", phone="351215550151",
        phone_work="351215550151", website="www.marazul.example", city="Lisboa", country="Portugal",
    ),
    # The second address only.
    Person(
        first="Piet", last="van der Meer", key="K-1006", title="Inkoper", company="Meer BV",
        email_second="piet@meer.example", phone_direct="020 555 0161", city="Utrecht", country="Nederland",
    ),
    Person(
        first="Łukasz", last="Żółć", key="K-1007", title="VP Sales", company="Żółć-Tech sp. z o.o.",
        email_direct="lukasz@zolc.example", email_other="lz@poczta.example", phone_company="+48 22 555 01 71",
        vanity="lukasz-zolc", company_page="https://www.linkedin.com/company/zolc-tech/", city="Łódź", country="Polska",
    ),
    Person(
        first="Nia", last="O'Dowd", key="K-1008", title="Buyer", company='The "Odd" Shop',
        email_other="nia@odd.example", phone_other="555-0181", city="Cork", country="Ireland", state="Munster",
    ),
)  # fmt: skip
