"""Names of columns in German, French, Spanish, Italian, Portuguese and Dutch, more English ones, and those of
`column_world`.

`people/fields.py` has the usual English names of each field. These are the names that Outlook, HubSpot, Google and
people's own lists use in other languages, as `column_key` returns them: without case, accents and punctuation.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from leadyard.files import column_world as world
from leadyard.files.column_spellings import column_key


def _words(text: str) -> frozenset[str]:
    return frozenset(map(column_key, text.split()))


_NAMES = {
    "firstName": """
        vorname rufname prenom nombre nombres primernombre nome primonome primeironome nomeproprio voornaam roepnaam
        contactfirst first firstnames given namefirst vorn""",
    "lastName": """
        apellidopaterno primerapellido nachname familienname zuname nom nomdefamille apellido apellidos cognome
        sobrenome apelido ultimonome
        achternaam familienaam last lastnames namelast nachn""",
    "name": """
        vollstandigername ganzername ansprechpartner kontaktname nomcomplet nometprenom prenometnom nomprenom
        nombrecompleto nombreyapellidos apellidosynombre nomecompleto nomecognome nomeecognome cognomenome
        nomeesobrenome volledigenaam naam contactpersoon contactpersonname fullnames anzeigename nominativo
        vorundnachname vornachname prenomnom voorenachternaam nachnamevorname vornamenachname namevorname
        vornamename firstnamelastname lastnamefirstname surnamefirstname
        apellidosnombre nombreapellidos nomesobrenome sobrenomenome voornaamachternaam achternaamvoornaam
        nomaafficher mostrarnombre nombreparamostrar nomevisualizzato weergavenaam""",
    "title": """
        berufsbezeichnung stellenbezeichnung funktion poste fonction intituleduposte cargo puesto puestodetrabajo
        ruolo posizione qualifica mansione funcao profissao functie functietitel beruf profession designation
        currentcompanyposition jobfunctiontitle contactjobtitle currentrole role jobtitel titreduposte titreposte
        titulodelpuesto titulodocargo titelinderorganisation jobbezeichnung positionsbezeichnung dienststellung
        arbeitstitel intituledeposte positiontitle titleposition roletitle positionrole titlerole""",
    "headline": "occupation linkedinoccupation",
    "company.name": """
        firma unternehmen firmenname unternehmensname betrieb arbeitgeber societe entreprise nomdelasociete
        nomdelentreprise raisonsociale employeur organisme empresa compania nombredelaempresa nombredeempresa
        organizacion azienda societa ditta nomeazienda nomedellazienda ragionesociale organizzazione companhia
        nomedaempresa organizacao bedrijf bedrijfsnaam organisatie werkgever organisationsname organization1
        org companytabledata firm firmname business businessname account orgname razonsocial razaosocial
        fa affiliation institution institute
        institut einrichtung etablissement institucion afiliacion instituicao istituzione ente instelling""",
    "company.industry": "branche industrie secteur secteurdactivite sector settore setor bedrijfstak",
    "company.website": """
        domain domainname www webseite firmenwebseite internetseite siteweb sitioweb sitoweb paginaweb sitointernet
        organizationdomain1""",
    "location": """
        standort wohnort lieu localisation ubicacion localizacao posizionegeografica locatie locationname
        addresswithcountry""",
    "about": "uberdieperson biographie biografia",
    "photoUrl": """
        profilbild photodeprofil fotodeperfil profielfoto imageurl imagelink profilepic profilepicurl""",
    "publicIdentifier": "publicid linkedinpublicidentifier linkedinprofileslug profileslug",
}
NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        field: tuple(dict.fromkeys((*names.split(), *map(column_key, world.NAMES.get(field, ())))))
        for field, names in _NAMES.items()
    }
)

WHOLE_NAME_ALONE: Mapping[str, str] = MappingProxyType(
    {"nome": "lastName", "nombre": "lastName", "nom": "firstName"}
    | {column_key(name): field for name, field in world.WHOLE_NAME_ALONE.items()}
)
"""Names that mean the whole name, unless the file has a column of the other field: `Nom` is the family name beside
`Prénom`, and `Nome` is the first name beside `Cognome`."""
FAMILY_NAME_BESIDE: Mapping[str, frozenset[str]] = MappingProxyType(
    {"name": frozenset({"vorname"}), "naam": frozenset({"voornaam"})}
)
"""Names that mean the family name beside these, in a file without another column of it: `Vorname`, `Name`."""
MEMBER_IDS = _words("""
    vmid snmemberid linkedinprofileid salesnavigatorprofileid salesnavigatorid linkedinid linkedinmemberid""")
"""Columns of LinkedIn's own ids of people (`ACwAA…`), which identify a person whose profile address is missing."""


EMAIL_WORDS = _words(
    """
    email emails mailadr mail courriel mel emailadresse mailadresse emailadres correo correio"""
    + world.EMAIL_WORDS
)
PHONE_WORDS = _words(
    """
    phone phones telephone tel festnetz fijo telefon telefono telefone telefoon phonenumber phonenumbers telefonnummer
    rufnummer telefonnr telefoonnummer fon tlf ph landline voip"""
    + world.PHONE_WORDS
)
MOBILE_WORDS = _words(
    """
    mobile mobil cell cellphone cellular mobiltelefon mobilnummer mobiltelefonnummer handy handynummer portable
    mob mobilfunk mobilfunknummer mobilnr handynr movil
    cellulare celular telemovel mobiel mobiele gsm mobilephone sms whatsapp"""
    + world.MOBILE_WORDS
)
WORK_WORDS = _words(
    """
    work corp business office professional job pro geschaftlich geschaftliche geschaft dienstlich dienstliche
    beruflich
    gesch geschaftl dienstl berufl
    berufliche buro arbeit professionnel professionnelle bureau travail trabajo profesional oficina laboral
    corporativo
    corporativa empresarial institucional lavoro ufficio uff aziendale trabalho emprego profissional comercial
    comerciale escritorio werk zakelijk zakelijke kantoor"""
    + world.WORK_WORDS
)
HOME_WORDS = _words(
    """
    home personal private privat priv personnel personnelle perso domicile prive privee casa particular privado
    privada
    personale abitazione privato privata pessoal residencial residencia thuis"""
    + world.HOME_WORDS
)
PRIMARY_WORDS = _words("""
    primary main default preferred recommended best haupt principal principale hoofd primare primaire primario
    primaria""")
SECOND_WORDS = _words("""
    secondary secondaire secundario secondario secundaria sekundare secundaire tertiary alternate alternative
    alt second backup
    zweite nonprimary non additional all""")
OTHER_WORDS = _words("other others weitere andere autre otro altro outro overig custom")
DIRECT_WORDS = _words("direct durchwahl ddi ligne directe direkt directo diretto direto dial line")
COMPANY_WORDS = _words("""
    company organization organisation employer account corporate hq headquarters firma firmen unternehmen unternehmens
    societe entreprise empresa azienda bedrijf zentrale standard switchboard""")
PERSON_WORDS = _words(
    """
    person contact contacts lead prospect candidate people customer kontakt kontaktperson ansprechpartner contacto
    contatto contato contactpersoon kandidat candidat candidato kandidaat bewerber teilnehmer attendee participant
    delegate guest subscriber individual member user client employee speaker applicant registrant invitee respondent
    student nominee badge persona personne pessoa persoon"""
    + world.PERSON_WORDS
)
FILLER_WORDS = _words(
    """
    address adresse addresses adresses value number numbers nummer numero no de do del da di du of op the electronico
    electronica eletronico electronique elettronica direccion indirizzo endereco posta adres addr found verified
    valid validated enriched contactinfo nr n wert valor valeur valore waarde general"""
    + world.FILLER_WORDS
)
CONTACT_WORDS = _words(
    """
    contact contacts details info information reach kontakt kontaktdaten erreichbar coordonnees contacto datos
    contatto
    contatti recapiti contato contatos contactgegevens gegevens"""
    + world.CONTACT_WORDS
)
RESULT_WORDS = _words("found verified valid validated confirmed")
"""Behind the noun these are the result of a check (`Email Verified`), and before it they are praise."""
OFFICIAL_WORDS = _words("corporate official")
PROFILE_WORDS = _words(
    """
    profile profil perfil profilo profiel url link lien enlace page public web website member adresse address default
    bio de do di del of von van zum naar vers al ao uri personal unique id hs lgm primary seite no em na auf in"""
    + world.PROFILE_WORDS
)
NOW_WORDS = _words("""
    current recent most latest primary present aktuell aktuelle aktueller actuel actuelle actual atual attuale huidig
    huidige""")
LINKING_WORDS = _words("de do del da di du of des der von van")
LINKEDIN_WORDS = _words("linkedin linkedinurl li" + world.LINKEDIN_WORDS)
EMPLOYER_NOUNS = COMPANY_WORDS - _words("account corporate hq headquarters firmen zentrale standard switchboard")
EMPLOYER_NAMES = _words("name nom nombre nome naam bezeichnung job associated zugeordnetes primares asociada associada")
"""Words that leave the company what it is: `Name des Unternehmens`, `Associated Company`, `job_company_name`."""
QUESTION_WORDS = _words("""
    and what whats which who is are s do does you your we can please enter provide type tell us the a an at with work
    works for hi hello hey thanks thank great ok okay welcome now next also finally lastly could would share
    there in to
    so me my nice meet reach how should call
    welchem welcher welche welches welchen unter arbeiten arbeitest erreichen wir sie du haben hast gib geben nenne
    nennen an uns dir mit hallo danke und
    dans quelle travaillez vous occupez occupe merci bonjour en que trabajas trabaja usted donde tienes tiene hola
    gracias quale lavori lavora ciao grazie em qual voce trabalha ola obrigado bij welk welke werk werkt hoe
    jaki jakie jaka jest twoj twoje twoja swoj swoje podaj panstwa vad ar din ditt dina vilket vilken arbetar
    jobbar pa
    hvad er dit hvilken hvilket arbejder hva jobber mika on mik az on a
    ваш ваша ваше вашу ваши укажите введите какая какой какое у вас
    wie lautet ist ihr ihre ihren dein deine bitte quel quelle est sont votre vos
    cual es su tu qual e la tua il
    tuo seu sua wat uw jouw je o os il lo el le la les los las der die das den het""")
ADDRESSING = _words("""
    your you ihr ihre ihren dein deine votre vos su tu tua tuo seu sua uw jouw twoj twoje twoja swoj swoje din
    ditt dina
    dit ваш ваша ваше вашу ваши укажите введите""")
"""A form asks `What is your first name?`. One of these words shows that it does, and then all of the former go."""
CITY_NAMES = _words(
    """
    city town ort stadt ville ciudad citta cidade plaats woonplaats localidad localidade localite comune wohnort
    suburb"""
    + world.CITY_NAMES
)
STATE_NAMES = _words(
    """
    state uf region province bundesland provincia estado provincie county regione departement stateprovince
    stateregion"""
    + world.STATE_NAMES
)
COUNTRY_NAMES = _words(
    """
    country land pays pais paese nazione staat countryregion countryorregion countrycode landregion paysregion
    paisregion paisoregion paisregiao paisouregiao"""
    + world.COUNTRY_NAMES
)
PLACE_WORDS = PERSON_WORDS | WORK_WORDS | HOME_WORDS | {
    "mailing", "mail", "address", "adresse", "current", "postal", "postanschrift", "anschrift", "primary", "location",
    "name", "full", "de", "del", "do", "da", "du", "di", "of", "residence",
}  # fmt: skip

NOTE_WORDS = _words("""
    note notes comment comments remark remarks description message text body subject history notiz notizen bemerkung
    bemerkungen kommentar nachricht beschreibung commentaire commentaires remarque nota notas comentario comentarios
    mensaje mensagem commento commenti opmerking opmerkingen uwagi poznamka poznamky примечание комментарий
    備考 备注 비고""")
OTHER_THINGS = _words("""
    deal opportunity opp ticket event session campaign project vacancy requisition posting opening order product
    subscription list task activity meeting invoice job""")
"""Groups of columns about something else: `Deal - Title` is not the person's title."""
EMPLOYMENT_WORDS = _words("employment employments experience experiences work workplace positions")
"""Groups in which `name` is the company's: `person.employment.name`."""

# A column of these people's addresses would merge everybody whom they look after.
OTHER_PEOPLE = _words(
    """
    owner owners manager assistant sender agent rep referrer referred recruiter created creator modified assigned
    supervisor reports besitzer zustandig betreuer verantwortlicher proprietaire responsable propietario asignado
    proprietario responsabile responsavel eigenaar spouse partner emergency billing invoice purchaser from by
    bcc cc"""
    + world.OTHER_PEOPLE
)
