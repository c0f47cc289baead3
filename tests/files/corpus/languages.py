"""Lists and exports in German, French, Spanish, Italian, Portuguese and Dutch."""

from __future__ import annotations

from tests.files.corpus.layouts import layout

IN_LANGUAGES = (
    layout("outlook-de", """
        Anrede = salutation
        Vorname = first
        Weitere Vornamen = ""
        Nachname = last
        Firma = company
        Abteilung = ""
        Position = title
        Ort geschäftlich = city
        Land/Region geschäftlich = country
        Telefon geschäftlich = phone_work
        Telefon privat = phone_home
        Mobiltelefon = phone_mobile
        E-Mail-Adresse = email
        E-Mail: Anzeigename = full_noise
        E-Mail 2: Adresse = email_second
        Webseite = website
    """, language="de"),
    layout("liste-de", """
        Kundennummer = key
        Name = last
        Vorname = first
        Funktion = title
        Unternehmen = company
        Branche = industry
        Geschäftliche E-Mail = email_work
        Private E-Mail = email_home
        Telefonnummer = phone
        Handy = phone_mobile
        LinkedIn-Profil = profile
        Ort = city
        Land = country
    """, language="de", above=("Messekontakte 2026", "Stand: 1. März", "")),
    layout("outlook-fr", """
        Titre = salutation_noise
        Prénom = first
        Nom = last
        Société = company
        Service = ""
        Fonction = title
        Ville (bureau) = city
        Pays/Région (bureau) = country
        Téléphone (bureau) = phone_work
        Téléphone (domicile) = phone_home
        Tél. mobile = phone_mobile
        Adresse de messagerie = email
        Adresse de messagerie 2 = email_second
        Page Web = ""
    """, language="fr"),
    layout("liste-fr", """
        Nom complet = full
        Prénom = first
        Nom de famille = last
        Entreprise = company
        Poste = title
        Secteur d'activité = industry
        E-mail professionnel = email_work
        E-mail personnel = email_home
        Téléphone portable = phone_mobile
        Profil LinkedIn = profile
        Ville = city
        Pays = country
    """, language="fr"),
    layout("outlook-es", """
        Tratamiento = salutation_noise
        Nombre = first
        Apellidos = last
        Organización = company
        Puesto = title
        Ciudad del trabajo = city
        País o región del trabajo = country
        Teléfono del trabajo = phone_work
        Teléfono particular = phone_home
        Móvil = phone_mobile
        Dirección de correo electrónico = email
        Dirección del correo electrónico 2 = email_second
        Página web = ""
    """, language="es"),
    layout("hubspot-es", """
        ID de registro = key
        Nombre = first
        Apellidos = last
        Correo = email
        Número de teléfono = phone
        Cargo = title
        Empresa = company
        Propietario del contacto = "kim@agencia.example"
        Perfil de LinkedIn = profile
        Ciudad = city
        País/región = country
    """, language="es"),
    layout("outlook-it", """
        Titolo = salutation_noise
        Nome = first
        Cognome = last
        Società = company
        Posizione = title
        Città (uff.) = city
        Telefono (uff.) = phone_work
        Telefono abitazione = phone_home
        Cellulare = phone_mobile
        Indirizzo posta elettronica = email
        Indirizzo posta elettronica 2 = email_second
    """, language="it"),
    layout("lista-it", """
        Codice = key
        Nome e cognome = full
        Azienda = company
        Ruolo = title
        E-mail aziendale = email_work
        E-mail personale = email_home
        Telefono = phone
        Profilo LinkedIn = profile
        Città = city
        Paese = country
    """, language="it"),
    layout("lista-pt", """
        Nome = first
        Sobrenome = last
        Empresa = company
        Cargo = title
        E-mail corporativo = email_work
        E-mail pessoal = email_home
        Telefone = phone
        Celular = phone_mobile
        Perfil do LinkedIn = profile
        Cidade = city
        Estado = state
        País = country
    """, language="pt"),
    layout("outlook-pt", """
        Primeiro Nome = first
        Apelido = last
        Empresa = company
        Função = title
        Telefone do Emprego = phone_work
        Telefone Residencial = phone_home
        Telemóvel = phone_mobile
        Endereço de E-mail = email
        Endereço de E-mail 2 = email_second
        Cidade = city
    """, language="pt"),
    layout("lijst-nl", """
        Klantnummer = key
        Voornaam = first
        Achternaam = last
        Bedrijf = company
        Functie = title
        Zakelijk e-mailadres = email_work
        Privé e-mailadres = email_home
        Telefoonnummer = phone
        Mobiel = phone_mobile
        LinkedIn profiel = profile
        Plaats = city
        Land = country
    """, language="nl"),
    layout("outlook-nl", """
        Voornaam = first
        Achternaam = last
        Bedrijf = company
        Functie = title
        Plaats (werk) = city
        Telefoon op werk = phone_work
        Telefoon thuis = phone_home
        Mobiele telefoon = phone_mobile
        E-mailadres = email
        E-mailadres 2 = email_second
    """, language="nl"),
)  # fmt: skip
