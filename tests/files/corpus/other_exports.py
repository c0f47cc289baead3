"""Exports of applicant tracking systems, events, CRMs, contact databases, outreach tools, newsletters and forms that
`exports.py` and `more_exports.py` do not have."""

from __future__ import annotations

from tests.files.corpus.layouts import layout

OTHER_EXPORTS = (
    layout("workable", """
        Candidate = full_noise
        Firstname = first
        Lastname = last
        Headline = headline
        Job = "Data Lead (Remote)"
        Department = "Data"
        Stage = "Phone screen"
        Email = email
        Phone = phone
        Social profiles = profile
        Source = "Sourced"
        Disqualified = "false"
    """),
    layout("teamtailor", """
        Candidate ID = key
        First name = first
        Last name = last
        Email = email
        Phone = phone
        LinkedIn URL = profile
        Job title = title
        Tags = ""
        Consent given = "2026-03-01"
        Unsubscribed = "No"
    """),
    layout("smartrecruiters", """
        Candidate: First Name = first
        Candidate: Last Name = last
        Candidate: Email = email
        Candidate: Phone Number = phone
        Candidate: Current Employer = company
        Candidate: Current Position = title
        Job: Name = "Data Lead"
        Recruiter: Email = "kim@agency.example"
        Application Status = "In review"
    """),
    layout("ashby", """
        Candidate Id = key
        Candidate Name = full
        Candidate Primary Email Address = email
        Candidate Primary Phone Number = phone
        Candidate LinkedIn URL = profile
        Candidate Location = place
        Candidate Company = company
        Candidate Title = title
        Credited To = "Kim Agent"
        Credited To Email = "kim@agency.example"
        Job = "Data Lead"
    """),
    layout("jobadder", """
        Candidate ID = key
        First Name = first
        Last Name = last
        Email = email
        Mobile = phone_mobile
        Phone = phone
        Current Position = title
        Current Employer = company
        Suburb = city
        Rating = ""
        Recruiter Owner = "Kim Agent"
    """),
    layout("luma", """
        api_id = key
        name = full
        first_name = first
        last_name = last
        email = email
        phone_number = phone
        created_at = "2026-03-01T10:00:00.000Z"
        approval_status = "approved"
        checked_in_at = ""
        qr_code_url = "https://lu.ma/check-in/x"
        What company do you work for? = company
        What is your job title? = title
        What is your LinkedIn profile? = profile
    """),
    layout("hopin", """
        Registration ID = key
        First name = first
        Last name = last
        Email = email
        Headline = headline
        Ticket name = "General"
        Registration date = "01/03/2026 10:00"
        Company/Organization = company
        Job Title/Role = title
        Country/Region = country
    """),
    layout("swapcard", """
        Profile ID = key
        First name = first
        Last name = last
        Job title = title
        Organization = company
        Biography = about
        Email address = email
        Mobile phone number = phone_mobile
        Landline phone number = phone@0
        LinkedIn profile link = profile
        Photo URL = photo
    """),
    layout("zoom-registrants", """
        First Name = first
        Last Name = last
        Email = email
        City = city
        Country/Region = country
        Phone = phone
        Organization = company
        Job Title = title
        Registration Time = "Mar 1, 2026 10:00:00"
        Approval Status = "approved"
    """, above=(
        "Registration Report", '"Report Generated:","Mar 2, 2026 09:00:00 AM"',
        "Topic,Webinar ID,Scheduled Time,Duration (minutes),# Registered",
        '"Selling calmly","812 3456 7890","Mar 1, 2026 10:00:00 AM",60,8', "Attendee Details",
    )),
    layout("copper", """
        Copper ID = key
        Salutation = salutation
        First name = first
        Last name = last
        Title = title
        Company = company
        Owned By = "Kim Agent"
        Email 1 = email
        Email type 1 = "work"
        Email 2 = email_other
        Phone number 1 = phone
        Phone type 1 = "work"
        City = city
        State = state
        Country = country
        Contact type = "Potential Customer"
    """),
    layout("folk", """
        First name = first
        Last name = last
        Full name = full
        Emails = emails_comma
        Phones = phone
        Companies = company
        Job title = title
        URLs = profile
        Groups = "Spring"
    """),
    layout("nimble", """
        record id = key
        first name = first
        last name = last
        job title = title
        company name = company
        email (work) = email_work
        email (personal) = email_home
        phone (mobile) = phone_mobile
        phone (work) = phone_work
        linkedin = profile
        lead status = "Open"
    """),
    layout("capsule", """
        ID = key
        Type = "Person"
        Title = salutation
        First Name = first
        Last Name = last
        Job Title = title
        Organisation = company
        Work Email = email_work
        Home Email = email_home
        Work Phone Number = phone_work
        Mobile Phone Number = phone_mobile
        City = city
        Country = country
    """),
    layout("monday", """
        Name = full
        Subitems = ""
        Person = "Kim Agent"
        Status = "New"
        E-mail = email
        Tel. no. = phone
        Firm name = company
        Position Title = title
        LinkedIn = profile
        Creation log = "Kim Agent Mar 1, 2026 10:00 AM"
    """, above=("Leads", "", "Group Title")),
    layout("sugarcrm", """
        id = key
        salutation = salutation
        first_name = first
        last_name = last
        title = title
        account_name = company
        email1 = email
        email2 = email_other
        phone_work = phone_work
        phone_mobile = phone_mobile
        phone_home = phone_home
        primary_address_city = city
        primary_address_country = country
        assigned_user_name = "kim"
        do_not_call = "0"
    """),
    layout("zendesk-sell", """
        id = key
        is_organisation = "false"
        name = full
        first_name = first
        last_name = last
        title = title
        organisation_name = company
        email = email
        phone = phone
        mobile = phone_mobile
        linkedin = profile
        owner = "Kim Agent"
        address_city = city
        address_country = country
    """),
    layout("keap", """
        Contact Id = key
        First Name = first
        Last Name = last
        Company = company
        Job Title = title
        Email = email
        Email Address 2 = email_other
        Phone 1 = phone
        Phone 1 Type = "Work"
        City (Billing) = city
        Opt In Status = "Confirmed"
    """),
    layout("salesql", """
        First name = first
        Last name = last
        Full name = full
        Title = title
        Company = company
        Company domain = domain
        Industry = industry
        Work email 1 = email_work
        Work email 1 status = "Verified"
        Direct email 1 = email_direct
        Direct phone 1 = phone_direct
        Work phone 1 = phone_work
        LinkedIn URL = profile
        Location = place
    """),
    layout("dripify", """
        First name = first
        Last name = last
        Link = profile
        Position = title
        Company = company
        Company website = website
        Industry = industry
        Location = place
        Corporate email = email_work
        Profile email = email_other
        Level = "2nd"
        Premium = "No"
    """),
    layout("woodpecker", """
        EMAIL = email
        FIRST_NAME = first
        LAST_NAME = last
        COMPANY = company
        INDUSTRY = industry
        TITLE = title
        PHONE = phone
        CITY = city
        COUNTRY = country
        SNIPPET1 = "Saw you at the fair"
        STATUS = "ACTIVE"
    """),
    layout("reply", """
        First Name = first
        Last Name = last
        Email = email
        Domain = domain
        Company = company
        Title = title
        Phone = phone
        LinkedIn profile = profile
        LinkedIn Sales Navigator = sales_plain
        Added on = "2026-03-01"
        Finished = "No"
        Opted out = "No"
    """),
    layout("clearbit", """
        person.id = key
        person.name.fullName = full
        person.name.givenName = first
        person.name.familyName = last
        person.email = email
        person.location = place
        person.employment.name = company
        person.employment.title = title
        person.employment.domain = domain
        person.linkedin.handle = profile_bare
        person.fuzzy = "false"
    """),
    layout("uplead", """
        First Name = first
        Last Name = last
        Title = title
        Email = email
        Email Status = "Valid"
        Company Name = company
        Domain = domain
        Industry = industry
        Mobile Direct Dial = phone_mobile@0
        Company Phone Number = phone_company
        Contact City = city
        Contact Country = country
        Contact Linkedin URL = profile
    """),
    layout("adapt", """
        Full Name = full
        First Name = first
        Last Name = last
        Designation = title
        Department = "Sales"
        Company = company
        Company LinkedIn = company_page
        Business Email = email_work
        Direct Number = phone_direct
        HQ Number = phone_company
        Person LinkedIn = profile
        Industry = industry
    """),
    layout("crunchbase", """
        Full Name = full
        Full Name URL = "https://www.crunchbase.example/person/x"
        First Name = first
        Last Name = last
        Primary Job Title = title
        Primary Organization = company
        LinkedIn = profile
        Location = place
        Gender = ""
        CB Rank (Person) = "77"
        Contact Email = email
    """),
    layout("klaviyo", """
        Email = email
        Klaviyo ID = key
        First Name = first
        Last Name = last
        Organization = company
        Title = title
        Phone Number = phone
        City = city
        Country = country
        Email Marketing Consent = "SUBSCRIBED"
        Email Marketing Consent Timestamp = "2026-03-01T10:00:00"
        SMS Marketing Consent = "NEVER_SUBSCRIBED"
    """),
    layout("activecampaign", """
        ID = key
        Email = email
        First Name = first
        Last Name = last
        Phone = phone
        Account Name = company
        Job Title = title
        IP = "192.0.2.7"
        Tags = "a,b"
        Date Created = "2026-03-01 10:00"
    """),
    layout("typeform", """
        # = key
        Hi! What's your *first name*? = first
        And your last name? = last
        Thanks, what's your email address? = email
        Great. Which company do you work for? = company
        What's your role there? = title
        Your phone number (with country code) = phone
        Could you share your LinkedIn profile? = profile
        Submitted At = "2026-03-01 10:00:00"
    """),
    layout("google-forms", """
        Timestamp = "3/1/2026 10:00:00"
        Email Address = email
        1. First name = first
        2. Last name (surname) = last
        3. Name of your organisation = company
        4. Your job title / position = title
        5. Mobile number (incl. country code) = phone_mobile
        6. Link to your LinkedIn profile (optional) = profile
        7. I agree to be contacted = "Yes"
    """),
    layout("google-forms-de", """
        Zeitstempel = "01.03.2026 10:00:00"
        Ihr Vorname = first
        Ihr Nachname = last
        Wie lautet Ihre E-Mail-Adresse? = email
        In welchem Unternehmen arbeiten Sie? = company
        Welche Position haben Sie? = title
        Unter welcher Telefonnummer erreichen wir Sie? = phone
        Einwilligung (DSGVO) = "Ja"
    """, language="de"),
    layout("jotform", """
        Submission Date = "Mar 1, 2026"
        Full Name - First Name = first
        Full Name - Last Name = last
        E-mail Address * = email
        Phone Number * = phone
        Company / Institution = company
        Job Title (if any) = title
        Submission ID = key
    """),
    layout("conference-academic", """
        Reg. No. = key
        Given Name(s) = first
        Surname/Family Name = last
        Affiliation = company
        Position/Job title = title
        E-mail (correspondence) = email
        Alternative e-mail = email_second
        Tel. = phone
        City/Town = city
        Country of residence = country
        Dietary requirements = "none"
    """),
    layout("liste-abkuerzungen", """
        lfd. Nr. = key
        Vorn. = first
        Nachn. = last
        Fa. = company
        Funktion = title
        Tel. gesch. = phone_work
        Tel. priv. = phone_home
        Mobil = phone_mobile
        Mail gesch. = email_work
        Mail priv. = email_home
        Ort = city
    """, language="de"),
    layout("xing", """
        Vorname = first
        Nachname = last
        Position = title
        Firma (aktuell) = company
        E-Mail (geschäftlich) = email_work
        E-Mail (privat) = email_home
        Telefon (geschäftlich) = phone_work
        Mobiltelefon (geschäftlich) = phone_mobile@2
        Stadt (geschäftlich) = city
        Land (geschäftlich) = country
        XING-Profil = "https://www.xing.example/profile/x"
    """, language="de"),
    layout("apple-numbers", """
        First = first
        Last = last
        Organization = company
        Job title = title
        home email = email_home
        work email = email_work
        mobile phone = phone_mobile
        work phone = phone_work
        home city = city
        home country = country
    """, above=("Contacts",)),
    layout("apis-flat", """
        contact/firstName = first
        contact/lastName = last
        contact/emails/0/address = email
        contact/phones/0/number = phone
        contact/company/name = company
        contact/jobTitle = title
        contact/socials/linkedin = profile
    """),
)  # fmt: skip
