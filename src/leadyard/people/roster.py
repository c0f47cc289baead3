"""The leads that a batch of prospects may match, by each of their identities."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from leadyard.errors import InvalidProspect
from leadyard.model import Lead, OtherIdentity, Profile
from leadyard.people.identity import SHARED_EMAIL_KIND, shared_email_identity
from leadyard.people.linkedin_urls import identifier_key
from leadyard.people.person_names import are_other_people, could_become_other, name_key
from leadyard.people.placeholders import is_shared_mailbox
from leadyard.people.updating import left_behind


class Roster:
    """Leads by each of their identities.

    An address has at most one owner: the lead that it identifies, unless the names contradict. Other people with this
    address share it, and are found by the address together with the name.
    """

    def __init__(self, known: Iterable[Lead], others: Iterable[OtherIdentity]) -> None:
        self.leads: dict[str, Lead] = {}
        self._by_public_identifier: dict[str, str] = {}
        self._by_email: dict[str, str] = {}
        # The addresses that several people have, each with the leads that share it.
        self._sharing: dict[str, dict[str, None]] = {}
        self._by_shared_identity: dict[str, str] = {}
        # Of the leads that share an address under one name, at most one has no LinkedIn profile.
        self._without_profile: dict[str, str] = {}
        self._by_provider_id: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for other in others:
            self._enter_other(other)
        # In the order of their ids, so that both databases lead to the same lead.
        for lead in sorted(known, key=lambda lead: lead.id):
            self.enter(lead)

    def enter(self, lead: Lead) -> None:
        """Adds the lead under all its identities."""
        self.leads[lead.id] = lead
        profile = lead.profile
        if profile.public_identifier:
            self._by_public_identifier[identifier_key(profile.public_identifier)] = lead.id
        if profile.email:
            if lead.shares_email:
                self._sharing.setdefault(profile.email, {})[lead.id] = None
                if profile.public_identifier is None:
                    self._without_profile[shared_email_identity(profile)] = lead.id
            else:
                self._by_email[profile.email] = lead.id
        if profile.provider_id:
            self._by_provider_id[profile.provider_id][lead.id] = None

    def replace(self, lead: Lead, after: Lead) -> Iterator[OtherIdentity]:
        """Writes the lead in its new state. It keeps its earlier identities. Yields the identities that must lead
        to the same lead as before."""
        email = lead.profile.email
        is_taker = not lead.shares_email or self._takes_its_own_name(lead)
        if lead.shares_email and email and not (after.shares_email and after.profile.email == email):
            self._sharing[email].pop(lead.id, None)
        self.enter(after)
        for identity in left_behind(lead, after):
            if identity.kind == SHARED_EMAIL_KIND:
                if self._without_profile.get(identity.value) == lead.id:
                    del self._without_profile[identity.value]
                if is_taker:
                    yield from self._remember(identity.value, lead.id)
            else:
                yield identity
        if email in self._sharing and not lead.shares_email:
            # With more names, the owner of an address could agree with the name of somebody who shares it.
            for other in list(self._leads_sharing(email or "")):
                if _could_be_taken(other.profile, lead.profile, after.profile):
                    yield from self._remember(shared_email_identity(other.profile), other.id)

    def _takes_its_own_name(self, lead: Lead) -> bool:
        """Returns whether a row with only the address and the name of this lead, which shares the address, leads to it,
        and not to the owner or to another sharer.

        The rows of a person with a profile have it too, or are remembered. A single word in one of their names is not
        enough then, because it can be the first name of one person and the last name of another.
        """
        if lead.profile.public_identifier is not None and " " not in name_key(lead.profile):
            return False
        row = replace(lead.profile, public_identifier=None, linkedin_url=None, provider_id=None)
        found, _ = self._find_by_email(row, row.email or "", None)
        return found is not None and found.id == lead.id

    def name_also(self, lead_id: str, identifiers: Iterable[str | None]) -> Iterator[OtherIdentity]:
        """Lets the profiles of LinkedIn lead to the lead as well, unless they lead to a lead already. Returns the new
        ones."""
        for identifier in identifiers:
            if identifier is not None and identifier_key(identifier) not in self._by_public_identifier:
                self._by_public_identifier[identifier_key(identifier)] = lead_id
                yield OtherIdentity(kind="public_identifier", value=identifier, lead_id=lead_id)

    def remember_name(self, lead_id: str, profile: Profile) -> Iterator[OtherIdentity]:
        """Lets the address and the name of a row lead to the lead that it has led to, also after the names of the lead
        or of others with the address have changed. Returns the identity if it is a new one.

        The owner of an address needs that only if the row has a name that the owner lacks and has not got here.
        """
        lead = self.leads[lead_id]
        if profile.email is None or profile.public_identifier is not None or lead.profile.email != profile.email:
            return
        is_function = is_shared_mailbox(profile.email)
        if not (lead.shares_email or could_become_other(lead.profile, profile, address_is_shared=is_function)):
            return
        identity = shared_email_identity(profile)
        if self._without_profile.get(identity) != lead_id:
            yield from self._remember(identity, lead_id)

    def _remember(self, identity: str, lead_id: str) -> Iterator[OtherIdentity]:
        if identity not in self._by_shared_identity:
            self._enter_shared_identity(identity, lead_id)
            yield OtherIdentity(kind=SHARED_EMAIL_KIND, value=identity, lead_id=lead_id)

    def find(self, profile: Profile, member: str | None = None) -> tuple[Lead | None, bool]:
        """Returns the lead of the profile or None, and whether its e-mail is the address of other people too. `member`
        is the member id that the source gives beside the public profile. Raises InvalidProspect IDENTITY_CONFLICT or
        AMBIGUOUS_PROVIDER_ID."""
        identifier, email = profile.public_identifier, profile.email
        key = identifier_key(identifier) if identifier else None
        if member is not None and key not in self._by_public_identifier:
            # A member may have several public profiles, one after the other.
            key = identifier_key(member) if identifier_key(member) in self._by_public_identifier else key
        if key not in self._by_public_identifier and email not in self._by_email and email not in self._sharing:
            # Nearly every row of an import is a new person.
            return self._find_by_provider_id(profile) if profile.provider_id else None, False
        by_linkedin = self._get(self._by_public_identifier, key)
        if email is None or (email not in self._by_email and email not in self._sharing):
            return by_linkedin, False
        by_email, is_shared = self._find_by_email(profile, email, by_linkedin)
        if by_email is None:
            return by_linkedin or self._find_by_provider_id(profile), True
        if by_linkedin is None:
            _refuse_two_profiles(profile, by_email)
        elif by_linkedin.id != by_email.id:
            if not is_shared:
                raise InvalidProspect(
                    "IDENTITY_CONFLICT",
                    f"The LinkedIn profile belongs to lead {by_linkedin.id} but the e-mail to lead {by_email.id}: "
                    "correct one of them or leave it out.",
                )
            # A name is not enough to make one person of two leads.
            return by_linkedin, True
        return by_email, is_shared

    def _find_by_email(self, profile: Profile, email: str, by_linkedin: Lead | None) -> tuple[Lead | None, bool]:
        """Returns the person with this address whose name does not contradict, and whether the address is shared."""
        if by_linkedin is not None and by_linkedin.profile.email == email:
            return by_linkedin, by_linkedin.shares_email
        owner = self._get(self._by_email, email)
        if owner is not None and owner is by_linkedin:
            # The address that the person had before, under whichever name.
            return owner, False
        identity = shared_email_identity(profile) if email in self._sharing else None
        named = self._get(self._by_shared_identity, identity)
        if named is not None and (named is owner or not _have_two_profiles(named.profile, profile)):
            return named, named is not owner
        if owner is not None and not is_of_another(owner.profile, profile):
            return owner, False
        named = self._get(self._without_profile, identity)
        if named is not None:
            return named, True
        for lead in self._leads_sharing(email):
            if not _have_two_profiles(lead.profile, profile) and not is_of_another(lead.profile, profile):
                return lead, True
        # A person may have got another name in another system. The outside id together with the address is enough.
        for lead in (*([owner] if owner else []), *self._leads_sharing(email)):
            if _have_one_provider_id(lead.profile, profile):
                return lead, lead is not owner
        return None, True

    def _leads_sharing(self, email: str) -> Iterator[Lead]:
        """Yields the leads in the order of their ids, in which they come from the database, too."""
        return map(self.leads.__getitem__, sorted(self._sharing.get(email, ())))

    def _find_by_provider_id(self, profile: Profile) -> Lead | None:
        matching = [self.leads[lead_id] for lead_id in self._by_provider_id.get(profile.provider_id or "", ())]
        if profile.public_identifier or profile.email:
            # A prospect with a stronger identity matches only a lead that has no identity but this provider id.
            return next((lead for lead in matching if _is_known_by_provider_id_only(lead)), None)
        if len(matching) > 1:
            raise InvalidProspect(
                "AMBIGUOUS_PROVIDER_ID",
                f"Several leads have this provider id, among them {matching[0].id} and {matching[1].id}: add an "
                "e-mail or a LinkedIn profile.",
            )
        return matching[0] if matching else None

    def _enter_other(self, identity: OtherIdentity) -> None:
        if identity.kind == "provider_id":
            self._by_provider_id[identity.value][identity.lead_id] = None
        elif identity.kind == SHARED_EMAIL_KIND:
            self._enter_shared_identity(identity.value, identity.lead_id)
        elif identity.kind == "email":
            self._by_email[identity.value] = identity.lead_id
        else:
            self._by_public_identifier[identifier_key(identity.value)] = identity.lead_id

    def _enter_shared_identity(self, value: str, lead_id: str) -> None:
        self._by_shared_identity.setdefault(value, lead_id)
        self._sharing.setdefault(value.partition(" ")[0], {})

    def _get(self, index: dict[str, str], key: str | None) -> Lead | None:
        return self.leads[index[key]] if key is not None and key in index else None


def is_of_another(known: Profile, incoming: Profile) -> bool:
    """Returns whether an e-mail that both have belongs to two people. Two LinkedIn profiles use a function's address
    only if they are two people."""
    shared = is_shared_mailbox(incoming.email or "")
    if shared and known.public_identifier and incoming.public_identifier:
        return identifier_key(known.public_identifier) != identifier_key(incoming.public_identifier)
    return are_other_people(known, incoming, address_is_shared=shared)


def _could_be_taken(sharer: Profile, before: Profile, after: Profile) -> bool:
    """Returns whether the owner of an address, who has more names now than before, agrees with a row that has led to
    somebody else with this address. The row may have had a part of the names only."""
    parts = (sharer, replace(sharer, first_name=None), replace(sharer, last_name=None))
    return any(is_of_another(before, part) and not is_of_another(after, part) for part in parts)


def _refuse_two_profiles(profile: Profile, by_email: Lead) -> None:
    """The row may have a LinkedIn profile that no lead has. The lead may lack one, but must not have another."""
    if profile.public_identifier and by_email.profile.public_identifier:
        raise InvalidProspect(
            "IDENTITY_CONFLICT",
            f"The e-mail belongs to lead {by_email.id}, which has another LinkedIn profile: correct one of the two or "
            "leave it out.",
        )


def _have_one_provider_id(known: Profile, incoming: Profile) -> bool:
    has_one = known.provider_id is not None and known.provider_id == incoming.provider_id
    return has_one and not _have_two_profiles(known, incoming)


def _have_two_profiles(known: Profile, incoming: Profile) -> bool:
    """Returns whether LinkedIn profiles show that a person with an address is not the other one who shares it. The
    look-up by LinkedIn has not led to the known person, so the two differ."""
    return known.public_identifier is not None and incoming.public_identifier is not None


def _is_known_by_provider_id_only(lead: Lead) -> bool:
    return lead.profile.public_identifier is None and lead.profile.email is None
