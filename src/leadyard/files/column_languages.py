"""Names of columns in German, French, Spanish, Italian, Portuguese and Dutch, and more English ones.

`people/fields.py` has the usual English names of each field. These are the names that Outlook, HubSpot, Google and
people's own lists use in other languages, as `column_key` returns them: without case, accents and punctuation.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NAMES = {
    "firstName": """
        vorname rufname prenom nombre nombres primernombre nome primonome primeironome nomeproprio voornaam roepnaam
        contactfirst first firstnames given namefirst""",
    "lastName": """
        nachname familienname zuname nom nomdefamille apellido apellidos cognome sobrenome apelido ultimonome
        achternaam familienaam last lastnames namelast""",
    "name": """
        vollstandigername ganzername ansprechpartner kontaktname nomcomplet nometprenom prenometnom nomprenom
        nombrecompleto nombreyapellidos apellidosynombre nomecompleto nomecognome nomeecognome cognomenome
        nomeesobrenome volledigenaam naam contactpersoon contactpersonname fullnames""",
    "title": """
        berufsbezeichnung stellenbezeichnung funktion poste fonction intituleduposte cargo puesto puestodetrabajo
        ruolo posizione qualifica mansione funcao profissao functie functietitel beruf profession designation
        currentcompanyposition jobfunctiontitle contactjobtitle currentrole role jobtitel titreduposte titreposte
        titulodelpuesto titulodocargo""",
    "headline": "occupation linkedinoccupation",
    "company.name": """
        firma unternehmen firmenname unternehmensname betrieb arbeitgeber societe entreprise nomdelasociete
        nomdelentreprise raisonsociale employeur organisme empresa compania nombredelaempresa nombredeempresa
        organizacion azienda societa ditta nomeazienda nomedellazienda ragionesociale organizzazione companhia
        nomedaempresa organizacao bedrijf bedrijfsnaam organisatie werkgever organisationsname organization1
        org companytabledata""",
    "company.industry": "branche industrie secteur secteurdactivite sector settore setor bedrijfstak",
    "company.website": """
        domain domainname webseite firmenwebseite internetseite siteweb sitioweb sitointernet organizationdomain1""",
    "location": "standort wohnort lieu localisation ubicacion localizacao posizionegeografica locatie locationname",
    "about": "uberdieperson biographie biografia",
    "photoUrl": "profilbild photodeprofil fotodeperfil profielfoto",
    "publicIdentifier": "publicid linkedinpublicidentifier",
}
NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {field: tuple(names.split()) for field, names in _NAMES.items()}
)

WHOLE_NAME_ALONE: Mapping[str, str] = MappingProxyType({"nome": "lastName", "nombre": "lastName", "nom": "firstName"})
"""Names that mean the whole name, unless the file has a column of the other field: `Nom` is the family name beside
`Prénom`, and `Nome` is the first name beside `Cognome`."""
FAMILY_NAME_BESIDE: Mapping[str, frozenset[str]] = MappingProxyType(
    {"name": frozenset({"vorname"}), "naam": frozenset({"voornaam"})}
)
"""Names that mean the family name beside these, in a file without another column of it: `Vorname`, `Name`."""
MEMBER_IDS = _words("""
    vmid snmemberid linkedinprofileid salesnavigatorprofileid salesnavigatorid linkedinid linkedinmemberid""")
"""Columns of LinkedIn's own ids of people (`ACwAA…`), which identify a person whose profile address is missing."""


EMAIL_WORDS = _words("email emails mail courriel mel emailadresse mailadresse emailadres")
PHONE_WORDS = _words("""
    phone phones telephone tel festnetz fijo telefon telefono telefone telefoon phonenumber phonenumbers telefonnummer
    rufnummer telefonnr telefoonnummer fon tlf""")
MOBILE_WORDS = _words("""
    mobile mobil cell cellphone cellular mobiltelefon mobilnummer mobiltelefonnummer handy handynummer portable
    mobilfunk mobilfunknummer mobilnr handynr movil
    cellulare celular telemovel mobiel mobiele gsm mobilephone sms whatsapp""")
WORK_WORDS = _words("""
    work business office professional job pro geschaftlich geschaftliche geschaft dienstlich dienstliche beruflich
    berufliche buro arbeit professionnel professionnelle bureau travail trabajo profesional oficina laboral corporativo
    corporativa empresarial institucional lavoro ufficio uff aziendale trabalho emprego profissional comercial
    comerciale escritorio werk zakelijk zakelijke kantoor""")
HOME_WORDS = _words("""
    home personal private privat personnel personnelle perso domicile prive privee casa particular privado privada
    personale abitazione privato privata pessoal residencial residencia thuis""")
PRIMARY_WORDS = _words("""
    primary main default preferred recommended best haupt principal principale hoofd""")
SECOND_WORDS = _words("""
    secondary secondaire secundario secondario secundaria tertiary alternate alternative backup zweite nonprimary
    non additional""")
OTHER_WORDS = _words("other others weitere andere autre otro altro outro overig")
DIRECT_WORDS = _words("direct durchwahl direkt directo diretto direto dial line")
COMPANY_WORDS = _words("""
    company organization organisation employer account corporate hq headquarters firma firmen unternehmen societe
    entreprise empresa azienda bedrijf zentrale standard switchboard""")
PERSON_WORDS = _words("""
    person contact contacts lead prospect candidate people customer kontakt kontaktperson ansprechpartner contacto
    contatto contato contactpersoon kandidat candidat candidato kandidaat bewerber teilnehmer attendee participant
    delegate guest subscriber individual member user""")
FILLER_WORDS = _words("""
    address adresse addresses adresses value number numbers nummer numero no de do del da di du of op the electronico
    electronica eletronico electronique elettronica correo direccion indirizzo endereco posta adres found verified
    valid contactinfo""")
PROFILE_WORDS = _words("""
    profile profil perfil profilo profiel url link lien enlace page public web website member adresse address default
    bio de do di del of von van uri personal unique id hs lgm primary seite""")
NOW_WORDS = _words("current present aktuell aktuelle aktueller actuel actuelle actual atual attuale huidig huidige")
LINKING_WORDS = _words("de do del da di du of des der von van")
LINKEDIN_WORDS = _words("linkedin linkedinurl li")
CITY_NAMES = _words("""
    city town ort stadt ville ciudad citta cidade plaats woonplaats localidad localite comune wohnort""")
STATE_NAMES = _words("""
    state region province bundesland provincia estado provincie county regione departement stateprovince stateregion""")
COUNTRY_NAMES = frozenset({
        "country", "land", "pays", "pais", "paese", "nazione", "staat", "countryregion", "countryorregion",
        "countrycode", "landregion", "paysregion", "paisregion", "paisoregion",
})  # fmt: skip
PLACE_WORDS = PERSON_WORDS | WORK_WORDS | HOME_WORDS | {
    "mailing", "address", "adresse", "current", "postal", "primary", "location", "de", "del", "do", "da", "du", "di",
}  # fmt: skip

# A column of these people's addresses would merge everybody whom they look after.
OTHER_PEOPLE = _words("""
    owner owners manager assistant sender agent rep referrer referred recruiter created creator modified assigned
    supervisor reports besitzer zustandig betreuer verantwortlicher proprietaire responsable propietario asignado
    proprietario responsabile responsavel eigenaar spouse partner emergency billing invoice from by bcc cc""")
