"""The names under which exports of well-known tools carry each field of a profile: a table, in order of preference."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

# The contract's JSON names (section 4), and the Profile attribute that each one feeds.
FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "firstName": "first_name",
        "lastName": "last_name",
        "name": "name",
        "headline": "headline",
        "about": "about",
        "photoUrl": "photo_url",
        "linkedinUrl": "linkedin_url",
        "publicIdentifier": "public_identifier",
        "title": "title",
        "email": "email",
        "phone": "phone",
        "location": "location",
        "company.name": "company_name",
        "company.linkedinIdentifier": "company_linkedin_identifier",
        "company.linkedinUrl": "company_linkedin_url",
        "company.industry": "company_industry",
        "company.website": "company_website",
        "providerId": "provider_id",
    }
)

# The columns of our own exports, before those of custom fields (see custom_column_name). All are recognised below.
COLUMN_NAMES = tuple(FIELDS)
CUSTOM_PREFIX = "customFields."

# Folded spellings (see folded), most trusted first. A public profile's address comes before `profileurl`, which holds
# the Sales Navigator address when an export has both; `title` comes last, for Outlook's Title is "Mrs". Bare `type`,
# `state`, `city`, `country`, `description` and every foreign id are left out: they mean too many things.
SPELLINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "firstName": ("firstname", "givenname", "forename", "fname", "contactfirstname", "leadfirstname"),
        "lastName": ("lastname", "familyname", "surname", "lname", "contactlastname", "leadlastname"),
        "name": ("name", "fullname", "contactname", "personname", "leadname", "displayname", "contactfullname"),
        "headline": ("headline", "linkedinheadline", "profileheadline", "personheadline", "tagline"),
        "about": ("about", "aboutme", "summary", "bio", "biography", "linkedindescription", "profilesummary"),
        "photoUrl": (
            "photourl", "profilephotourl", "profileimageurl", "profilepictureurl", "linkedinprofileimageurl",
            "pictureurl", "profilepicture", "profilephoto", "imgurl", "avatarurl", "avatar", "picture", "photo",
        ),
        "linkedinUrl": (
            "linkedinurl", "personlinkedinurl", "linkedinprofileurl", "linkedinurlpublic", "publicprofileurl",
            "linkedinpublicprofileurl", "defaultprofileurl", "linkedinprofile", "linkedinprofilelink", "linkedinlink",
            "personlinkedin", "personallinkedinurl", "contactlinkedinurl", "leadlinkedinurl", "hslinkedinurl",
            "linkedinbio", "linkedin", "personlinkedinprofileurl", "profilelink", "profileurl", "url",
        ),
        "publicIdentifier": (
            "publicidentifier", "linkedinpublicidentifier", "profilepublicidentifier", "linkedinpublicid", "publicid",
            "vanityname", "linkedinvanityname", "linkedinusername", "linkedinhandle", "linkedinslug",
        ),
        "title": (
            "jobtitle", "position", "currentjobtitle", "currenttitle", "currentposition", "linkedinjobtitle",
            "persontitle", "contacttitle", "organization1title", "organizationtitle", "jobposition", "currentjob",
            "jobrole", "title",
        ),
        "email": (
            "email", "emailaddress", "workemail", "businessemail", "professionalemail", "workemailaddress",
            "emailwork", "primaryemail", "contactemail", "personemail", "leademail", "linkedinemail", "email1value",
            "email1", "email1address", "emailid", "mail", "personalemail", "homeemail",
        ),
        "phone": (
            "phone", "phonenumber", "workdirectphone", "directphone", "mobilephone", "mobilephonenumber", "mobile",
            "mobilenumber", "cellphone", "businessphone", "workphone", "primaryphone", "contactphone", "phone1value",
            "phone1", "telephone", "telephonenumber", "homephone", "corporatephone", "companyphone",
        ),
        "location": (
            "location", "personlocation", "profilelocation", "linkedinlocation", "leadlocation", "contactlocation",
            "prospectlocation", "currentlocation",
        ),
        "company.name": (
            "companyname", "company", "organization", "organisation", "organizationname", "organisationname",
            "organization1name", "currentcompany", "currentcompanyname", "linkedincompanyname", "employer",
            "employername", "accountname", "associatedcompany", "companynameforemails",
        ),
        "company.linkedinIdentifier": (
            "companylinkedinidentifier", "companyuniversalname", "linkedincompanyid", "companylinkedinid",
        ),
        "company.linkedinUrl": (
            "companylinkedinurl", "companylinkedin", "organizationlinkedinurl", "organisationlinkedinurl",
            "regularcompanyurl", "linkedincompanyurl", "companylinkedinprofileurl", "companylinkedinpage",
            "currentcompanylinkedinurl", "linkedincompanypage", "companylinkedinlink", "accountlinkedinurl",
        ),
        "company.industry": ("companyindustry", "industry", "organizationindustry", "linkedinindustry"),
        "company.website": (
            "companywebsite", "companywebsiteurl", "organizationwebsite", "companydomain", "companydomainname",
            "companywebsitedomain", "accountwebsite", "website", "websiteurl",
        ),
        "providerId": ("providerid",),
    }
)  # fmt: skip

# Some names mean a field only in company: in LinkedIn's own export of connections `URL` is the profile, elsewhere it is
# a web page of any kind; a website is the company's only where the company is named as well.
ONLY_BESIDE: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "url": frozenset({"connectedon"}),
        "website": frozenset(SPELLINGS["company.name"]),
        "websiteurl": frozenset(SPELLINGS["company.name"]),
    }
)


def folded(name: str) -> str:
    """Returns what is compared of a column's name: its letters and digits, without case, width or ligatures.

    So `First Name`, `first_name`, `firstName` and `FIRST-NAME` are one. Only the first 200 characters count.
    """
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name[:200]).casefold()))


def custom_column_name(custom_field: str) -> str:
    """Returns the header under which an export writes a custom field, so that an import finds it again as one."""
    return CUSTOM_PREFIX + custom_field
