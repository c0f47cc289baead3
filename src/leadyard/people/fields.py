"""The table of a person's fields. To add a field, add it to Profile here and write a migration.

Everything else is made from this table: the request bodies and answers of the API, the provider's shapes, the columns
that an import recognises and an export writes, the limits, the columns of the table `leads` and the statements on it.
This module imports nothing of Leadyard, because `model` imports Profile from it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar, cast

MAX_URL_LENGTH = 2_048
MAX_IDENTIFIER_LENGTH = 300
MAX_EMAIL_LENGTH = 254

MAX_CUSTOM_FIELDS = 200
MAX_CUSTOM_NAME_LENGTH = 100
MAX_CUSTOM_VALUE_LENGTH = 5_000
NO_CUSTOM_FIELDS: Mapping[str, str] = MappingProxyType({})

D = TypeVar("D")
F = TypeVar("F")

_COMPANY = "company_"


def _text(
    max_length: int,
    spellings: str,
    *,
    several_lines: bool = False,
    identifies: bool = False,
    is_key: bool = False,
    is_sent_to_provider: bool = False,
    example: str | None = None,
    description: str | None = None,
) -> Any:
    """Returns a field of Profile that is None by default. TextField explains the arguments."""
    facts = {
        "max_length": max_length,
        "spellings": tuple(spellings.split()),
        "several_lines": several_lines,
        "identifies": identifies,
        "is_key": is_key,
        "is_sent_to_provider": is_sent_to_provider,
        "example": example,
        "description": description,
    }
    return dataclasses.field(default=None, metadata=facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The fields of a person. None means unknown. A normalised profile never contains an empty string.

    The name in JSON is the attribute in camel case: `firstName`, and `company.name` for `company_name`.
    """

    # The address of a public profile comes before `profileurl`, which is the Sales Navigator address when an export has
    # both. `title` comes last, because Outlook's Title is "Mrs". Bare `type`, `state`, `city`, `country`, `description`
    # and all foreign ids are left out, because they mean too many things.
    first_name: str | None = _text(
        200,
        "firstname givenname forename fname contactfirstname leadfirstname",
        is_sent_to_provider=True,
        example="Avery",
    )
    last_name: str | None = _text(
        200,
        "lastname familyname surname lname contactlastname leadlastname",
        is_sent_to_provider=True,
        example="Stone",
    )
    name: str | None = _text(
        200,
        "name fullname contactname personname leadname displayname contactfullname",
        is_sent_to_provider=True,
        example="Avery Stone",
    )
    headline: str | None = _text(500, "headline linkedinheadline profileheadline personheadline tagline")
    about: str | None = _text(
        10_000, "about aboutme summary bio biography linkedindescription profilesummary", several_lines=True
    )
    photo_url: str | None = _text(
        MAX_URL_LENGTH,
        "photourl profilephotourl profileimageurl profilepictureurl linkedinprofileimageurl pictureurl profilepicture"
        " profilephoto imgurl avatarurl avatar picture photo",
    )
    linkedin_url: str | None = _text(
        MAX_URL_LENGTH,
        "linkedinurl personlinkedinurl linkedinprofileurl linkedinurlpublic publicprofileurl linkedinpublicprofileurl"
        " defaultprofileurl linkedinprofile linkedinprofilelink linkedinlink personlinkedin personallinkedinurl"
        " contactlinkedinurl leadlinkedinurl hslinkedinurl linkedinbio linkedin personlinkedinprofileurl profilelink"
        " profileurl url",
        identifies=True,
        is_sent_to_provider=True,
        example="https://www.linkedin.com/in/avery-stone",
    )
    # LinkedIn's name for the person, the part after `/in/`. A whole profile URL is accepted in its place, so the
    # identifier's own limit is checked after it has been taken out.
    public_identifier: str | None = _text(
        MAX_URL_LENGTH,
        "publicidentifier linkedinpublicidentifier profilepublicidentifier linkedinpublicid publicid vanityname"
        " linkedinvanityname linkedinusername linkedinhandle linkedinslug",
        identifies=True,
        is_key=True,
        is_sent_to_provider=True,
        example="avery-stone",
    )
    title: str | None = _text(
        500,
        "jobtitle position currentjobtitle currenttitle currentposition linkedinjobtitle persontitle contacttitle"
        " organization1title organizationtitle jobposition currentjob jobrole title",
        is_sent_to_provider=True,
        example="Head of Sales",
    )
    email: str | None = _text(
        MAX_EMAIL_LENGTH,
        "email emailaddress workemail businessemail professionalemail workemailaddress emailwork primaryemail"
        " contactemail personemail leademail linkedinemail email1value email1 email1address emailid mail"
        " personalemail homeemail",
        identifies=True,
        is_key=True,
        example="avery@example.com",
    )
    phone: str | None = _text(
        100,
        "phone phonenumber workdirectphone directphone mobilephone mobilephonenumber mobile mobilenumber cellphone"
        " businessphone workphone primaryphone contactphone phone1value phone1 telephone telephonenumber homephone"
        " corporatephone companyphone",
    )
    location: str | None = _text(
        300,
        "location personlocation profilelocation linkedinlocation leadlocation contactlocation prospectlocation"
        " currentlocation",
    )
    company_name: str | None = _text(
        300,
        "companyname company organization organisation organizationname organisationname organization1name"
        " currentcompany currentcompanyname linkedincompanyname employer employername accountname associatedcompany"
        " companynameforemails",
        is_sent_to_provider=True,
        example="Acme",
    )
    company_linkedin_identifier: str | None = _text(
        MAX_IDENTIFIER_LENGTH,
        "companylinkedinidentifier companyuniversalname linkedincompanyid companylinkedinid",
        is_sent_to_provider=True,
    )
    company_linkedin_url: str | None = _text(
        MAX_URL_LENGTH,
        "companylinkedinurl companylinkedin organizationlinkedinurl organisationlinkedinurl regularcompanyurl"
        " linkedincompanyurl companylinkedinprofileurl companylinkedinpage currentcompanylinkedinurl"
        " linkedincompanypage companylinkedinlink accountlinkedinurl",
        is_sent_to_provider=True,
    )
    company_industry: str | None = _text(
        300, "companyindustry industry organizationindustry linkedinindustry", is_sent_to_provider=True
    )
    company_website: str | None = _text(
        MAX_URL_LENGTH,
        "companywebsite companywebsiteurl organizationwebsite companydomain companydomainname companywebsitedomain"
        " accountwebsite website websiteurl",
        is_sent_to_provider=True,
    )
    provider_id: str | None = _text(
        MAX_IDENTIFIER_LENGTH,
        "providerid",
        identifies=True,
        is_key=True,
        is_sent_to_provider=True,
        description="An id from another system.",
    )
    custom_fields: Mapping[str, str] = dataclasses.field(default_factory=lambda: NO_CUSTOM_FIELDS)


def quickly(frozen: type[F]) -> Callable[..., F]:
    """Returns a function that makes values of the frozen dataclass, from keywords or from values in the order of its
    fields, in a sixth of the time.

    A frozen dataclass writes each field by a call of `object.__setattr__`. The function is the class of a twin that is
    not frozen, which gives each of its values the other class. Lists and imports make several values for each person.
    """
    fields: list[tuple[str, Any, Any]] = []
    for field in dataclasses.fields(frozen):  # type: ignore[arg-type]
        default = dataclasses.field(default=field.default, default_factory=field.default_factory)
        fields.append((field.name, Any, default))

    def become_frozen(value: Any) -> None:
        value.__class__ = frozen

    # Not in a function around the twin, which would collect and pass on all values once more.
    at_the_end = {"__post_init__": become_frozen}
    return cast(
        "Callable[..., F]", dataclasses.make_dataclass(frozen.__name__, fields, slots=True, namespace=at_the_end)
    )


new_profile = quickly(Profile)
"""Profile, for code that makes thousands of them."""


class TextField(NamedTuple):
    """One text of a person: the arguments of `_text`, and its names.

    `attribute` is its name in Profile and in the table `leads`, `json_name` its name in exports, mappings and refusals.
    The `json_name` of `company_linkedin_url` is `company.linkedinUrl`: the object `company` has it under `json_key`,
    `linkedinUrl`, and the shape of the company under `shape_name`, `linkedin_url`.
    """

    attribute: str
    json_name: str
    json_key: str
    shape_name: str
    in_company: bool
    max_length: int
    """In characters."""
    spellings: tuple[str, ...]
    """The names of columns that contain this field, as `column_key` returns them, most trusted first."""
    several_lines: bool
    identifies: bool
    """Whether a column of this field can be the identity column of a file."""
    is_key: bool
    """Whether people are compared by it, so that its column in the table is compared by bytes."""
    is_sent_to_provider: bool
    """Whether a request for the person's e-mail contains it."""
    example: str | None
    description: str | None


def _text_field(field: dataclasses.Field[Any]) -> TextField:
    in_company = field.name.startswith(_COMPANY)
    shape_name = field.name.removeprefix(_COMPANY) if in_company else field.name
    json_key = _camel_case(shape_name)
    json_name = f"company.{json_key}" if in_company else json_key
    return TextField(field.name, json_name, json_key, shape_name, in_company, **field.metadata)


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


TEXT_FIELDS = tuple(_text_field(field) for field in dataclasses.fields(Profile) if field.metadata)
"""Every text of a person, in the order of JSON, of exports and of the table."""
COMPANY_FIELDS = tuple(field for field in TEXT_FIELDS if field.in_company)
ATTRIBUTES = tuple(field.attribute for field in TEXT_FIELDS)
FIELD_OF_NAME: Mapping[str, TextField] = MappingProxyType({field.json_name: field for field in TEXT_FIELDS})
COLUMN_NAMES = tuple(FIELD_OF_NAME)
"""The header of an export, before the custom fields."""


def in_json_order(text: Callable[[TextField], D], *, company: D, custom_fields: D) -> dict[str, D]:
    """Returns a value for each part of a person's JSON object, by shape name. `text` returns the values of the texts.

    The company is one part, in the place of its first field. The custom fields follow it.
    """
    parts: dict[str, D] = {}
    for field in TEXT_FIELDS:
        if field.in_company:
            parts |= {"company": company, "custom_fields": custom_fields}
        else:
            parts[field.shape_name] = text(field)
    return parts


def full_name(name: str | None, first_name: str | None, last_name: str | None) -> str | None:
    """Returns the name of a person, composed of the first and last name if it is missing. None without any."""
    if name is not None:
        return name
    return f"{first_name} {last_name}" if first_name and last_name else first_name or last_name or None
