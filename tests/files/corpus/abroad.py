"""Lists and exports in the other languages of Europe and Asia."""

from __future__ import annotations

from tests.files.corpus.layouts import layout

ABROAD = (
    layout("lista-pl", """
        Lp. = key
        Imię = first
        Nazwisko = last
        Stanowisko = title
        Nazwa firmy = company
        Branża = industry
        Adres e-mail służbowy = email_work
        E-mail prywatny = email_home
        Telefon służbowy = phone_work
        Telefon komórkowy = phone_mobile
        Profil LinkedIn = profile
        Miejscowość = city
        Kraj = country
        Opiekun = "Kim Agent"
        Opiekun e-mail = "kim@agency.example"
    """, language="pl", above=("Uczestnicy konferencji", ""), below=("Razem: 8", "Wygenerowano 1.3.2026")),
    layout("kontakty-cs", """
        Jméno = first
        Příjmení = last
        Pracovní pozice = title
        Společnost = company
        E-mailová adresa = email
        Soukromý e-mail = email_home
        Telefon = phone
        Mobil = phone_mobile
        Město = city
        Země = country
    """, language="cs", below=("Celkem: 8",)),
    layout("liste-tr", """
        Ad = first
        Soyad = last
        Unvan = title
        Şirket Adı = company
        E-posta adresi = email
        Kişisel e-posta = email_home
        İş Telefonu = phone_work
        Cep telefonu = phone@0
        LinkedIn profili = profile
        Şehir = city
        Ülke = country
    """, language="tr", below=("Toplam: 8",)),
    layout("deltagare-sv", """
        Förnamn = first
        Efternamn = last
        Befattning = title
        Företag = company
        Bransch = industry
        E-post arbete = email_work
        E-post privat = email_home
        Telefon = phone
        Mobilnummer = phone_mobile
        LinkedIn = profile
        Stad = city
        Land = country
    """, language="sv", above=("Deltagarlista", "Utskriven 2026-03-01", ""), below=("Summa: 8",)),
    layout("kontakter-da", """
        Fornavn = first
        Efternavn = last
        Stilling = title
        Virksomhed = company
        E-mailadresse = email
        Privat e-mail = email_home
        Tlf. = phone
        Mobil = phone_mobile
        By = city
        Land = country
    """, language="da"),
    layout("deltakere-no", """
        Navn = full
        Stillingstittel = title
        Firmanavn = company
        E-post = email
        E-post (privat) = email_home
        Mobiltelefon = phone_mobile
        LinkedIn-profil = profile
        Poststed = city
    """, language="no"),
    layout("yhteystiedot-fi", """
        Etunimi = first
        Sukunimi = last
        Tehtävänimike = title
        Yritys = company
        Sähköposti = email
        Sähköposti (koti) = email_home
        Puhelin = phone
        Matkapuhelin = phone_mobile
        Kaupunki = city
        Maa = country
    """, language="fi", below=("Yhteensä: 8",)),
    layout("nevjegyek-hu", """
        Vezetéknév = last
        Keresztnév = first
        Beosztás = title
        Cég neve = company
        Munkahelyi e-mail cím = email_work
        Otthoni e-mail = email_home
        Telefonszám = phone
        Mobiltelefon = phone_mobile
        Város = city
        Ország = country
    """, language="hu", below=("Összesen: 8",)),
    layout("contacte-ro", """
        Nume = last
        Prenume = first
        Funcție = title
        Companie = company
        Adresă de e-mail = email
        E-mail personal = email_home
        Număr de telefon = phone
        Telefon mobil = phone_mobile
        Oraș = city
        Țară = country
    """, language="ro"),
    layout("epafes-el", """
        Όνομα = first
        Επώνυμο = last
        Θέση εργασίας = title
        Εταιρεία = company
        Διεύθυνση email = email
        Τηλέφωνο εργασίας = phone_work
        Κινητό τηλέφωνο = phone_mobile
        Πόλη = city
        Χώρα = country
    """, language="el", below=("Σύνολο: 8",)),
    layout("kontakty-ru", """
        Фамилия = last
        Имя = first
        Отчество = ""
        Должность = title
        Название компании = company
        Рабочий e-mail = email_work
        Личный e-mail = email_home
        Рабочий телефон = phone_work
        Мобильный телефон = phone_mobile
        Профиль LinkedIn = profile
        Город = city
        Страна = country
        Ответственный = "Kim Agent"
    """, language="ru", below=("Итого: 8",)),
    layout("crm-ru", """
        ФИО = full
        Должность = title
        Организация = company
        Электронная почта = email
        Номер телефона = phone
        Город = city
    """, language="ru"),
    layout("kontakty-uk", """
        Прізвище = last
        Ім'я = first
        Посада = title
        Компанія = company
        Електронна пошта = email
        Особиста електронна адреса = email_home
        Мобільний телефон = phone_mobile
        Місто = city
        Країна = country
    """, language="uk"),
    layout("meishi-ja", """
        会社名 = company
        部署名 = ""
        役職 = title
        姓 = last
        名 = first
        メールアドレス = email
        会社メールアドレス = email_work
        個人メールアドレス = email_home
        勤務先電話番号 = phone_work
        携帯電話 = phone_mobile
        LinkedIn = profile
    """, language="ja", below=("合計: 8",)),
    layout("outlook-ja", """
        敬称 = salutation_noise
        姓 = last
        名 = first
        会社名 = company
        役職 = title
        会社電話 = phone_work
        携帯電話 = phone_mobile
        電子メール アドレス = email
        電子メール 2 アドレス = email_second
    """, language="ja"),
    layout("mingdan-zh", """
        姓名 = full
        职位 = title
        公司名称 = company
        行业 = industry
        工作邮箱 = email_work
        个人邮箱 = email_home
        手机号码 = phone_mobile
        办公电话 = phone_work
        领英 = profile
        城市 = city
        国家 = country
    """, language="zh", below=("合计: 8",)),
    layout("myeongdan-ko", """
        이름 = full
        회사명 = company
        직책 = title
        이메일 = email
        개인 이메일 = email_home
        휴대폰 번호 = phone_mobile
        전화번호 = phone
        링크드인 = profile
        도시 = city
    """, language="ko", below=("합계: 8",)),
    layout("qaima-ar", """
        الاسم الأول = first
        اسم العائلة = last
        المسمى الوظيفي = title
        الشركة = company
        البريد الإلكتروني = email
        البريد الإلكتروني الشخصي = email_home
        رقم الجوال = phone_mobile
        المدينة = city
        الدولة = country
    """, language="ar"),
    layout("reshima-he", """
        שם פרטי = first
        שם משפחה = last
        תפקיד = title
        שם החברה = company
        דואר אלקטרוני = email
        טלפון נייד = phone_mobile
        עיר = city
    """, language="he"),
    layout("daftar-id", """
        Nama Lengkap = full
        Jabatan = title
        Nama Perusahaan = company
        Alamat Email = email
        Nomor Telepon = phone
        Kota = city
        Negara = country
    """, language="id"),
    layout("danh-sach-vi", """
        Họ và tên = full
        Chức vụ = title
        Tên công ty = company
        Email = email
        Số điện thoại = phone
        Thành phố = city
    """, language="vi"),
    layout("popis-hr", """
        Ime = first
        Prezime = last
        Radno mjesto = title
        Tvrtka = company
        Adresa e-pošte = email
        Broj telefona = phone
        Mobitel = phone_mobile
        Grad = city
        Država = country
    """, language="hr", below=("Ukupno: 8",)),
    layout("outlook-pl", """
        Tytuł = salutation_noise
        Imię = first
        Nazwisko = last
        Firma = company
        Stanowisko = title
        Telefon służbowy = phone_work
        Telefon domowy = phone_home
        Telefon komórkowy = phone_mobile
        Adres e-mail = email
        Adres e-mail 2 = email_second
        Miasto (służbowy) = city
        Kraj/region (służbowy) = country
    """, language="pl"),
    layout("outlook-sv", """
        Titel = salutation_noise
        Förnamn = first
        Efternamn = last
        Företag = company
        Befattning = title
        Telefon, arbetet = phone_work
        Telefon, hem = phone_home
        Mobiltelefon = phone_mobile
        E-postadress = email
        E-postadress 2 = email_second
    """, language="sv"),
)  # fmt: skip
