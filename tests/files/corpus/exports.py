"""Exports of tools in English: contact databases, scrapers, CRMs, address books and newsletters."""

from __future__ import annotations

from tests.files.corpus.layouts import layout

EXPORTS = (
    layout(
        "linkedin-connections",
        """
        First Name = first
        Last Name = last
        URL = profile
        Email Address = email
        Company = company
        Position = title
        Connected On = "01 Feb 2026"
        """,
        above=("Notes:", '"When exporting your connection data, some of the addresses may be missing."', ""),
    ),
    layout(
        "linkedin-archive",
        """
        Source = "MOBILE_CONTACTS"
        FirstName = first
        LastName = last
        Companies = company
        Title = title
        Emails = emails_comma
        PhoneNumbers = phone
        CreatedAt = "1/5/26, 9:00 AM"
        FullName = full
        Location = place
        Profiles = profile
        """,
    ),
    layout(
        "apollo",
        """
        First Name = first
        Last Name = last
        Title = title
        Company Name = company
        Company Name for Emails = company
        Email = email_work
        Email Status = "Verified"
        Primary Email Source = "Apollo"
        Email Confidence = ""
        Seniority = "Director"
        Work Direct Phone = phone_direct_quoted
        Home Phone = phone_home
        Mobile Phone = phone_mobile
        Corporate Phone = phone_company
        Other Phone = phone_other
        Do Not Call = "FALSE"
        # Employees = "120"
        Industry = industry
        Person Linkedin Url = profile_http
        Website = website
        Company Linkedin Url = company_page
        City = city
        State = state
        Country = country
        Secondary Email = email_second
        Secondary Email Source = "Apollo"
        Tertiary Email = email_other
        Apollo Contact Id = key
        """,
    ),
    layout(
        "apollo-2024",
        """
        First Name = first
        Last Name = last
        Title = title
        Company = company
        Email = email_locked
        Work Direct Phone = phone_direct
        Mobile Phone = phone_mobile
        Person Linkedin Url = profile_http
        Contact Owner = "owner@agency.example"
        """,
    ),
    layout(
        "apollo-api",
        """
        id = key
        first_name = first
        last_name = last
        name = full
        linkedin_url = profile_http
        title = title
        email_status = "verified"
        photo_url = photo
        headline = headline
        email = email_locked
        organization_name = company
        organization_linkedin_url = company_page
        organization_website_url = website
        city = city
        state = state
        country = country
        """,
    ),
    layout(
        "phantombuster-search",
        """
        profileUrl = sales_url
        fullName = full
        firstName = first
        lastName = last
        companyName = company
        title = title
        companyId = "7001"
        regularCompanyUrl = company_page
        industry = industry
        companyLocation = "Springfield"
        location = place
        durationInRole = "2 years"
        connectionDegree = "2nd"
        name = full
        vmid = member
        linkedInProfileUrl = member_url
        isPremium = "false"
        query = "https://www.linkedin.com/sales/search/people?query=(x)"
        timestamp = "2026-01-10T00:00:00Z"
        defaultProfileUrl = profile
        """,
    ),
    layout(
        "phantombuster-early",
        """
        profileUrl = sales_url
        fullName = full
        firstName = first
        lastName = last
        companyName = company
        title = title
        vmid = member
        summary = about
        """,
    ),
    layout(
        "evaboot",
        """
        First Name = first
        Last Name = last
        Full Name = full
        Current Job = title
        Email = email
        Email Status = "safe"
        Linkedin URL Public = profile
        Linkedin URL Unique ID = member_url
        Sales Navigator URL = sales_plain
        Prospect Location = place
        Company Name = company
        Company Domain = domain
        Company Linkedin URL Unique ID = company_page
        Company Industry = industry
        Matches Filters = "YES"
        Profile Headline = headline
        """,
    ),
    layout(
        "linked-helper",
        """
        id = key
        public_id = vanity
        sn_member_id = member
        profile_url = profile
        email = email
        full_name = full
        first_name = first
        last_name = last
        headline = headline
        location_name = place
        industry = industry
        organization_1 = company
        organization_title_1 = title
        organization_domain_1 = domain
        phone_1 = phone
        phone_type_1 = "mobile"
        third_party_email_1 = email_other
        """,
    ),
    layout(
        "waalaxy",
        """
        firstName = first
        lastName = last
        occupation = headline
        job_title = title
        company_name = company
        linkedinUrl = profile
        professionalEmail = email_work
        personalEmail = email_home
        phoneNumber = phone
        connectedAt = "2026-02-01"
        """,
    ),
    layout(
        "captain-data",
        """
        full_name = full
        first_name = first
        last_name = last
        headline = headline
        linkedin_profile_url = profile
        sales_navigator_profile_url = sales_plain
        linkedin_profile_id = "122138853"
        sales_navigator_profile_id = member_bare
        company_name = company
        company_linkedin_url = company_page
        """,
    ),
    layout(
        "la-growth-machine",
        """
        Record ID = key
        First Name = first
        Last Name = last
        Linkedin Url (Default) = profile
        Email (Pro) = email_work
        Email (Perso) = email_home
        Job Title = title
        Company Name = company
        """,
    ),
    layout(
        "recruiter",
        """
        First Name = first
        Last Name = last
        Headline = headline
        Location = place
        Current Title = title
        Current Company = company
        Email Address = email
        Phone Number = phone
        Profile URL = talent_url
        Public Profile URL = profile
        Active Project = "Search 7"
        Notes = ""
        """,
    ),
    layout(
        "seamless",
        """
        Research Date = "2026-02-01"
        Contact Full Name = full
        First Name = first
        Middle Name = ""
        Last Name = last
        Title = title
        Department = "Ops"
        Company Name = company
        Website = website
        Primary Email = email
        Contact LI Profile URL = profile
        Email 1 = email_work
        Email 1 Validation = "98%"
        Email 2 = email_other
        Personal Email = email_home
        Contact Phone 1 = phone
        Contact Mobile Phone = phone_mobile
        Company Phone 1 = phone_company
        Contact City = city
        Contact State = state
        Contact Country = country
        Company LI Profile Url = company_page
        Company Industry = industry
        """,
    ),
    layout(
        "zoominfo",
        """
        ZoomInfo Contact ID = negative_key
        Last Name = last
        First Name = first
        Salutation = salutation
        Job Title = title
        Direct Phone Number = phone_direct
        Email Address = email
        Mobile phone = phone_mobile
        Person City = city
        Person State = state
        Country = country
        ZoomInfo Contact Profile URL = "https://app.zoominfo.com/#/apps/profile/person/1"
        LinkedIn Contact Profile URL = profile_bare
        ZoomInfo Company ID = "801"
        Company Name = company
        Website = website
        Company HQ Phone = phone_company
        Primary Industry = industry
        LinkedIn Company Profile URL = company_page
        """,
    ),
    layout(
        "rocketreach",
        """
        Name = full
        First Name = first
        Last Name = last
        Title = title
        Employer = company
        Employer Website = website
        Employer LinkedIn = company_page
        Location = place
        City = city
        Region = state
        Recommended Email = email
        Recommended Work Email = email_work
        Recommended Personal Email = email_home
        Phone = phone
        Mobile Phone = phone_mobile
        Office Phone = phone_work
        LinkedIn = profile
        Status = "complete"
        """,
    ),
    layout(
        "lusha",
        """
        First Name = first
        Last Name = last
        Job Title = title
        Company Name = company
        Company Domain = domain
        Work Email = email_work
        Direct Email = email_direct
        Additional Email 1 = email_second
        Phone 1 = phone
        Phone 1 Type = "Mobile"
        Phone 2 = phone_other
        Contact LinkedIn = profile
        """,
    ),
    layout(
        "clay",
        """
        First Name = first
        Last Name = last
        Full Name = full
        Job Title = title
        Location = place
        Company Domain = domain
        LinkedIn Profile = profile
        Company Table Data = company
        Work Email = email_work
        Personal Email = email_home
        """,
    ),
    layout(
        "hunter",
        """
        Email address = email
        Domain name = domain
        Organization = company
        Confidence score = "97"
        Type = "personal"
        First name = first
        Last name = last
        Position = title
        Twitter handle = ""
        LinkedIn URL = profile
        Phone number = phone
        """,
        empty="-",
    ),
    layout(
        "snovio",
        """
        First name = first
        Last name = last
        Full name = full
        Job position = title
        Email = email
        Email status = "valid"
        Social URL = profile
        Company name = company
        Company website = website
        Industry = industry
        Location = place
        """,
    ),
    layout(
        "kaspr",
        """
        Name = full
        First name = first
        Last name = last
        LinkedIn = profile
        Job title = title
        Company = company
        B2B email = email_work
        Direct email = email_direct
        Phone = phone
        Phone 2 = phone_other
        """,
    ),
    layout(
        "wiza",
        """
        first_name = first
        last_name = last
        full_name = full
        title = title
        email = email
        email_status = "valid"
        linkedin = profile
        company = company
        company_linkedin = company_page
        domain = domain
        mobile_phone = phone_mobile
        location = place
        """,
    ),
    layout(
        "cognism",
        """
        First Name = first
        Last Name = last
        Job Title = title
        Account Name = company
        Email Address = email
        Direct Dial = phone_direct
        Mobile = phone_mobile
        Person LinkedIn URL = profile
        Company LinkedIn URL = company_page
        Industry = industry
        """,
    ),
    layout(
        "dropcontact",
        """
        civility = salutation
        first_name = first
        last_name = last
        full_name = full
        email = email
        email_qualification = "nominative@pro"
        phone = phone
        mobile_phone = phone_mobile
        company = company
        website = website
        linkedin = profile
        company_linkedin = company_page
        """,
    ),
    layout(
        "smartlead",
        """
        email = email
        first_name = first
        last_name = last
        phone_number = phone
        company_name = company
        website = website
        location = place
        linkedin_profile = profile
        custom_fields = ""
        """,
    ),
    layout(
        "instantly",
        """
        Email = email
        First Name = first
        Last Name = last
        Company Name = company
        Personalization = "I liked your talk"
        Phone = phone
        Website = website
        linkedIn = profile
        jobTitle = title
        """,
    ),
    layout(
        "lemlist",
        """
        email = email
        firstName = first
        lastName = last
        companyName = company
        jobTitle = title
        linkedinUrl = profile
        phone = phone
        picture = photo
        icebreaker = "Hello"
        timezone = "Europe/Paris"
        """,
    ),
    layout(
        "heyreach",
        """
        Profile URL = profile
        First Name = first
        Last Name = last
        Headline = headline
        Location = place
        Company Name = company
        Position = title
        Email Address = email
        Summary = about
        """,
    ),
    layout(
        "hubspot",
        """
        Record ID - Contact = key
        First Name = first
        Last Name = last
        Email = email
        Additional email addresses = email_second
        Phone Number = phone
        Mobile Phone Number = phone_mobile
        Job Title = title
        Contact owner = "Kim Agent"
        Lead Status = "New"
        Associated Company = company
        Associated Company IDs (Primary) = "901"
        LinkedIn URL = profile
        City = city
        State/Region = state
        Country/Region = country
        """,
    ),
    layout(
        "salesforce-report",
        """
        Salutation = salutation
        First Name = first
        Last Name = last
        Title = title
        Account Name = company
        Phone = phone
        Mobile = phone_mobile
        Email = email
        Account Owner = "Kim Agent"
        Mailing City = city
        Mailing State/Province = state
        Mailing Country = country
        """,
        below=('"Contacts with accounts"', '"Copyright (c) 2000-2026 the vendor, inc. All rights reserved."',
               '"Confidential Information - Do Not Distribute"', '"Generated By:  Kim Agent  3/1/2026 9:00 AM"'),
    ),
    layout(
        "salesforce-api",
        """
        Id = key
        FirstName = first
        LastName = last
        Title = title
        Email = email
        Phone = phone
        MobilePhone = phone_mobile
        Account.Name = company
        Owner.Email = "kim@agency.example"
        LinkedIn_Profile__c = profile
        MailingCity = city
        MailingCountry = country
        """,
        empty="#N/A",
    ),
    layout(
        "pipedrive",
        """
        Person - ID = key
        Person - Name = full
        Person - First name = first
        Person - Last name = last
        Person - Organization = company
        Person - Email - Work = email_work
        Person - Email - Home = email_home
        Person - Email - Other = email_other
        Person - Phone - Work = phone_work
        Person - Phone - Mobile = phone_mobile
        Person - Phone - Home = phone_home
        Person - Job title = title
        Person - LinkedIn Page = profile
        Person - Owner = "Sam Agent"
        """,
    ),
    layout(
        "zoho",
        """
        Record Id = key
        Lead Owner = "Kim Agent"
        Company = company
        First Name = first
        Last Name = last
        Designation = title
        Email = email
        Secondary Email = email_second
        Phone = phone
        Mobile = phone_mobile
        Website = website
        Industry = industry
        City = city
        State = state
        Country = country
        LinkedIn = profile
        """,
    ),
    layout(
        "suitecrm",
        """
        First Name = first
        Last Name = last
        ID = key
        Salutation = salutation
        Title = title
        Account Name = company
        Email Address = email
        Non Primary E-mails = email_second
        Mobile = phone_mobile
        Office Phone = phone_work
        Home = phone_home_alone
        """,
    ),
    layout(
        "dynamics",
        """
        (Do Not Modify) Contact = key
        Full Name = full
        First Name = first
        Last Name = last
        Job Title = title
        Company Name = company
        Email = email
        Email Address 2 = email_other
        Business Phone = phone_work
        Mobile Phone = phone_mobile
        Address 1: City = city
        Address 1: Country/Region = country
        """,
    ),
    layout(
        "freshsales",
        """
        First name = first
        Last name = last
        Job title = title
        Emails = emails_semicolon
        Work = phone_work_alone
        Mobile = phone_mobile
        Account name = company
        LinkedIn = profile
        Sales owner = "Kim Agent"
        """,
    ),
    layout(
        "close",
        """
        lead_id = key
        display_name = full
        first_name = first
        last_name = last
        title = title
        primary_email = email
        primary_phone = phone
        company_name = company
        url = website_noise
        """,
    ),
    layout(
        "attio",
        """
        Record ID = key
        Record = full_noise
        Name > First name = first
        Name > Last name = last
        Email addresses = emails_comma
        Company > Name = company
        Job title = title
        Phone numbers = phone
        LinkedIn = profile
        Primary location > Country = country
        """,
    ),
    layout(
        "airtable",
        """
        Name = full
        Company = company
        Role = title
        Emails / Primary Email = email
        Emails / Work Email = email_work
        Phones / Primary Phone = phone
        LinkedIn = profile_bare
        Status = "Todo"
        """,
    ),
    layout(
        "atomic-crm",
        """
        first_name = first
        last_name = last
        gender = "unknown"
        title = title
        linkedin_url = profile
        company = company
        email_work = email_work
        email_home = email_home
        email_other = email_other
        phone_work = phone_work
        phone_home = phone_home
        phone_other = phone_other
        tags = "a, b"
        """,
    ),
    layout(
        "google",
        """
        First Name = first
        Middle Name = ""
        Last Name = last
        Phonetic First Name = ""
        Nickname = ""
        File As = ""
        Organization Name = company
        Organization Title = title
        Organization Department = ""
        Birthday = "--03-07"
        Notes = ""
        Labels = "* myContacts ::: Fair"
        E-mail 1 - Label = "* Work"
        E-mail 1 - Value = emails_google
        E-mail 2 - Label = "Home"
        E-mail 2 - Value = email_home
        Phone 1 - Label = "Mobile"
        Phone 1 - Value = phone
        Website 1 - Value = profile
        Address 1 - City = city
        Address 1 - Country = country
        """,
    ),
    layout(
        "google-old",
        """
        Name = full
        Given Name = first
        Additional Name = ""
        Family Name = last
        Group Membership = "* myContacts"
        E-mail 1 - Type = "* Work"
        E-mail 1 - Value = email
        Phone 1 - Type = "Work"
        Phone 1 - Value = phone
        Organization 1 - Name = company
        Organization 1 - Title = title
        """,
    ),
    layout(
        "outlook",
        """
        Title = salutation
        First Name = first
        Middle Name = ""
        Last Name = last
        Suffix = ""
        Company = company
        Department = ""
        Job Title = title
        Business City = city
        Business Country/Region = country
        Business Phone = phone_work
        Home Phone = phone_home
        Mobile Phone = phone_mobile
        Birthday = "0/0/00"
        E-mail Address = email
        E-mail Type = "SMTP"
        E-mail Display Name = full_noise
        E-mail 2 Address = email_second
        Web Page = ""
        """,
    ),
    layout(
        "thunderbird",
        """
        First Name = first
        Last Name = last
        Display Name = full
        Nickname = ""
        Primary Email = email
        Secondary Email = email_second
        Work Phone = phone_work
        Home Phone = phone_home
        Fax Number = "555-0199"
        Mobile Number = phone_mobile
        Work City = city
        Work Country = country
        Job Title = title
        Organization = company
        """,
    ),
    layout(
        "mailchimp",
        """
        Email Address = email
        First Name = first
        Last Name = last
        Phone Number = phone
        Company = company
        MEMBER_RATING = "2"
        OPTIN_TIME = "2026-01-01 10:00:00"
        LEID = "1"
        TAGS = "\\"VIP\\",\\"Blog\\""
        """,
    ),
    layout(
        "listmonk",
        """
        uuid = key
        email = email
        name = full
        attributes = "{\\"city\\": \\"Bath\\"}"
        status = "enabled"
        created_at = "2026-03-01 10:00:00 +0000 UTC"
        """,
    ),
    layout(
        "brevo",
        """
        CONTACT ID = key
        EMAIL = email
        FIRSTNAME = first
        LASTNAME = last
        SMS = phone
        LINKEDIN = profile
        JOB_TITLE = title
        ADDED_TIME = "2026-03-01"
        """,
    ),
    layout(
        "eventbrite",
        """
        Order # = key
        Order Date = "2026-03-01"
        First Name = first
        Surname = last
        Email = email
        Cell Phone = phone_mobile
        Job Title = title
        Company = company
        Buyer Email = "buyer@agency.example"
        """,
        above=("Attendees of the spring fair", ""),
        below=("Total: 8",),
    ),
)  # fmt: skip
