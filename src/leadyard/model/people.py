"""Profiles, leads, members of an audience, and the result of adding people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from leadyard.model.audiences import Audience
from leadyard.people.fields import NO_CUSTOM_FIELDS, Profile, quickly

__all__ = [
    "MAX_PROSPECTS_PER_ADD", "MAX_SKIPPED", "NO_CUSTOM_FIELDS", "AddResult", "CheckedProfiles", "Lead",
    "LeadFilter", "LeadWithAudiences", "Member", "MemberFilter", "MergeResult", "Note", "OnKnown", "OtherIdentity",
    "PersonFilter", "Profile", "Rejection", "ReplacedValue", "new_lead", "new_member",
]  # fmt: skip

MAX_PROSPECTS_PER_ADD = 1_000
MAX_SKIPPED = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """One person, once per account group. `shares_email` if the e-mail does not identify the person alone, but only
    together with the name: another person had it before."""

    id: str
    profile: Profile
    created_at: int
    shares_email: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A lead in one audience."""

    lead: Lead
    added_at: int


new_lead = quickly(Lead)
new_member = quickly(Member)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFilter:
    """Conditions on the fields of a person, of which all that are not None must hold.

    `q` is words in the name, e-mail, phone, location, company or title, and `company` and `title` are words in those
    fields. Each may stand anywhere, also as a part of a word. Case and accents are ignored.
    """

    q: str | None = None
    company: str | None = None
    title: str | None = None
    has_email: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberFilter(PersonFilter):
    """The members of an audience to list. The times are exclusive, in milliseconds."""

    added_after: int | None = None
    added_before: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadFilter(PersonFilter):
    """The people of an account group to list, in whichever audiences they are. `email` and `public_identifier` are
    normalised identities. The times are exclusive, in milliseconds."""

    email: str | None = None
    public_identifier: str | None = None
    created_after: int | None = None
    created_before: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadWithAudiences:
    """A lead and the audiences that contain it, oldest first."""

    lead: Lead
    audiences: tuple[Audience, ...]


class OnKnown(StrEnum):
    """What an addition does with people who are known already. FILL: it fills their empty fields. UPDATE: values of the
    source also replace others. SKIP: they stay as they are. All three put them into the audience."""

    FILL = "fill"
    UPDATE = "update"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplacedValue:
    """A value of a known person that an addition has replaced, or an undo. `field` is its name in exports, and for a
    custom field `customFields.` and its name. `new` is None if the value was removed, because it contradicts a new one,
    and `old` if an undo has brought it back."""

    lead_id: str
    field: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherIdentity:
    """An identity that a lead has from a person who was merged into it, or from a value that was replaced. `kind` is
    the attribute of Profile, or SHARED_EMAIL_KIND for an address together with a name."""

    kind: str
    value: str
    lead_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeResult:
    """The lead that remains after a merge, the number of audiences that contain it, and the recorded change."""

    lead: Lead
    audience_count: int
    change_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A prospect that was not added, and why. `index` counts from 0 in the list of prospects."""

    index: int
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A value of an added prospect that is not in its field as it was given, and why. A prospect may have several.
    `lead_id` is the lead of the prospect, None as long as it is not matched."""

    index: int
    code: str
    message: str
    lead_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddResult:
    """The result of adding prospects: created + matched + len(rejected) is the number of prospects, and
    added + already_in_audience is the number of distinct leads. No note is about a rejected prospect. `differing` of
    the matched ones have a value that was not the known one, and `suppressed` of the rejected ones are suppressed.
    `change_id` is the recorded change, None without a lead."""

    created: int
    matched: int
    added: int
    already_in_audience: int
    rejected: tuple[Rejection, ...]
    differing: int = 0
    suppressed: int = 0
    notes: tuple[Note, ...] = ()
    change_id: str | None = None


@dataclass(frozen=True, slots=True)
class CheckedProfiles:
    """Normalised profiles with their index in the list of profiles, the profiles that are not valid, and the notes on
    the valid ones. `members` has the member ids of LinkedIn that the source gives beside public profiles, by index."""

    valid: tuple[tuple[int, Profile], ...]
    invalid: tuple[Rejection, ...]
    notes: tuple[Note, ...] = ()
    members: Mapping[int, str] = field(default_factory=dict)
