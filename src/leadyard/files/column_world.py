"""Names of columns in the other languages of Europe and Asia, as people write them.

`column_languages` folds them like the names in a file, so accents and spaces are only for the reader. A name that two
of these languages use for two fields is left out, unless the other columns decide it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_NAMES = {
    "firstName": """
        adınız; imię; imiona; křestní jméno; jméno; krstné meno; meno; adı; isim; ad; ön ad; förnamn;
        tilltalsnamn; fornavn; etunimi; keresztnév; utónév; prenume; όνομα; имя; ім'я; име; ime; vardas; vārds;
        eesnimi; 名; 名字; 이름; الاسم الأول; الاسم; שם פרטי; שם; nama depan; tên; ชื่อ""",
    "lastName": """
        soyadınız; الاسم الأخير; 名前（姓）; nazwisko; příjmení; priezvisko; soyad; soyadı; soyisim; efternamn;
        efternavn; etternavn; sukunimi; vezetéknév; családnév; nume; nume de familie; επώνυμο; επίθετο; фамилия;
        прізвище; prezime; priimek; pavardė; uzvārds; perekonnanimi; perenimi; 姓; 苗字; 姓氏; 성; 성씨; اسم
        العائلة; اللقب; שם משפחה; nama belakang; họ; นามสกุล""",
    "name": """
        adınız soyadınız; neve; 担当者氏名; 中文姓名; 您的姓名; imię i nazwisko; nazwisko i imię; imię nazwisko;
        pełne imię i nazwisko; nazwa wyświetlana; osoba kontaktowa; jméno a příjmení; příjmení a jméno; celé
        jméno; kontaktní osoba; meno a priezvisko; celé meno; kontaktná osoba; ad soyad; adı soyadı; ad ve
        soyad; isim soyisim; namn; för- och efternamn; fullständigt namn; fullständig namn; navn; fulde navn;
        fuldt navn; fullt navn; for- og efternavn; for- og etternavn; nimi; koko nimi; yhteyshenkilö; név;
        teljes név; kapcsolattartó; kapcsolattartó neve; nume complet; nume și prenume; prenume și nume;
        persoană de contact; ονοματεπώνυμο; πλήρες όνομα; фио; ф.и.о.; фамилия имя отчество; имя и фамилия; имя
        фамилия; фамилия имя; полное имя; контактное лицо; піб; п.і.б.; прізвище та ім'я; повне ім'я; контактна
        особа; име и фамилия; ime i prezime; prezime i ime; ime in priimek; vardas pavardė; vārds uzvārds;
        täisnimi; 氏名; お名前; 名前; ご芳名; フルネーム; 担当者名; ご担当者名; 表示名; 姓名; 全名; 联系人;
        联系人姓名; 聯絡人; 聯絡人姓名; 参会人; 성명; 성함; 담당자명; الاسم الكامل; الاسم بالكامل; שם מלא; איש
        קשר; nama; nama lengkap; họ và tên; họ tên; ชื่อ-นามสกุล; ชื่อนามสกุล""",
    "title": """
        göreviniz; ünvanınız; pozisyonu; profese; povolání; funcția deținută; позиция; ご役職; お役職;
        stanowisko; stanowisko pracy; nazwa stanowiska; pozycja zawodowa; pracovní pozice; pozice; pracovná
        pozícia; pozícia; funkce; unvan; ünvan; iş unvanı; görev; görevi; pozisyon; befattning; yrkestitel;
        jobbtitel; stilling; stillingsbetegnelse; stillingstittel; tehtävänimike; tehtävä; titteli; asema;
        ammattinimike; beosztás; munkakör; pozíció; funcție; funcția; poziție; θέση; θέση εργασίας; τίτλος
        εργασίας; должность; посада; длъжност; radno mjesto; radno mesto; delovno mesto; pozicija; pareigos;
        amats; amet; ametikoht; 役職; 役職名; 職位; 肩書; 肩書き; 职位; 职务; 職稱; 职称; 岗位; 头衔; 직함;
        직책; 직위; 직급; المسمى الوظيفي; الوظيفة; المنصب; תפקיד; jabatan; chức vụ; chức danh; ตำแหน่ง""",
    "company.name": """
        instytucja; název organizace; firmanız; şirketiniz; kurumunuz; çalıştığı kurum; çalıştığınız kurum;
        företagets namn; επωνυμία εταιρείας; επωνυμία εταιρίας; наименование организации; наименование компании;
        ご所属; nazwa firmy; przedsiębiorstwo; spółka; organizacja; pracodawca; nazwa organizacji; miejsce
        pracy; společnost; název firmy; název společnosti; zaměstnavatel; organizace; spoločnosť; názov firmy;
        názov spoločnosti; zamestnávateľ; organizácia; şirket; şirket adı; şirketi; firma adı; kurum; kurum adı;
        kuruluş; işveren; işyeri; företag; företagsnamn; bolag; bolagsnamn; arbetsgivare; företag/organisation;
        virksomhed; virksomhedsnavn; firmanavn; arbejdsgiver; bedrift; bedriftsnavn; selskap; selskapsnavn;
        arbeidsgiver; organisasjon; yritys; yrityksen nimi; organisaatio; työnantaja; yhteisö; cég; cégnév; cég
        neve; vállalat; munkahely; munkáltató; szervezet; companie; firmă; societate; denumire firmă; nume
        companie; numele companiei; angajator; organizație; εταιρεία; εταιρία; επωνυμία; οργανισμός; εργοδότης;
        компания; название компании; организация; название организации; работодатель; место работы; предприятие;
        юрлицо; компанія; назва компанії; організація; підприємство; місце роботи; фирма; tvrtka; naziv tvrtke;
        poduzeće; podjetje; preduzeće; kompanija; įmonė; uzņēmums; ettevõte; 会社; 会社名; 企業名; 勤務先;
        勤務先名; 所属; 所属会社; 法人名; 貴社名; 御社名; 組織; 組織名; 団体名; 公司; 公司名称; 公司名稱;
        公司名; 企业; 企业名称; 单位; 单位名称; 工作单位; 机构; 機構; 회사; 회사명; 소속; 기업명; 근무처;
        기관명; الشركة; اسم الشركة; المؤسسة; جهة العمل; المنظمة; חברה; שם החברה; שם חברה; ארגון; מקום עבודה;
        perusahaan; nama perusahaan; instansi; công ty; tên công ty; บริษัท; ชื่อบริษัท""",
    "company.industry": """
        branża; odvětví; odvetvie; sektör; bransch; bransje; toimiala; iparág; κλάδος; отрасль; сфера
        деятельности; галузь; сфера діяльності; 業種; 業界; 行业; 行業; 產業; 업종; 산업; القطاع; الصناعة;
        תעשייה""",
    "company.website": """
        strona www; strona internetowa; strona firmy; webové stránky; webová stránka; web sitesi; webbplats;
        hemsida; hjemmeside; nettsted; nettside; verkkosivu; verkkosivut; kotisivu; kotisivut; weboldal; honlap;
        ιστοσελίδα; ιστότοπος; сайт; веб-сайт; сайт компании; сайт компанії; вебсайт; ウェブサイト;
        ホームページ; 会社hp; 网站; 網站; 公司网站; 网址; 웹사이트; 홈페이지; الموقع الإلكتروني; אתר; אתר
        אינטרנט""",
    "location": """
        lokalizacja; lokalita; konum; plats; placering; sijainti; tartózkodási hely; locație; τοποθεσία;
        местоположение; локация; розташування; 所在地; 勤務地; 위치; 근무지; الموقع; מיקום; lokasi; vị trí địa
        lý""",
}
NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {field: tuple(name.strip() for name in names.split(";")) for field, names in _NAMES.items()}
)

WHOLE_NAME_ALONE: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(
        ("jméno", "meno", "adı", "isim", "όνομα", "имя", "ім'я", "име", "ime", "vardas", "vārds", "名字", "이름",
         "الاسم", "שם", "tên", "ชื่อ"),
        "lastName",
    )
    | {"nume": "firstName"}
)  # fmt: skip

EMAIL_WORDS = """
    epost epostadress epostadresse epostaadresi eposta sähköposti sähköpostiosoite työsähköposti emailcím
    emailadresa emailadres emailová почта почты имейл мейл ел пошта пошти пошты електронна електронної
    електронний электронная электронной электронный メールアドレス 電子メール メール eメール 電子メールアドレス
    邮箱 电子邮箱 电子邮件 電子郵件 邮件 邮箱地址 电邮 電郵 電郵地址 이메일 메일 전자우편 البريد بريد الايميل
    ايميل אימייל מייל דואל דואר surel epasts epasta epastas epaštas epošta epošte poczta poczty αλληλογραφία
    ταχυδρομείο ταχυδρομείου อีเมล"""
PHONE_WORDS = """
    arbejdstelefon arbeidstelefon arbetstelefon privattelefon hemtelefon telefonu telefonní telefónne
    telefonszám telefonszáma puhelin puhelinnumero työpuhelin τηλέφωνο τηλεφώνου σταθερό телефон телефона
    телефону тел тлф 電話番号 電話 电话 电话号码 联系电话 座机 固话 전화 전화번호 연락처 유선전화 الهاتف هاتف
    תלפון טלפון telepon telp điệnthoại điện thoại โทรศัพท์ เบอร์โทร telefonas telefona tālrunis tālruņa numărul
    număr telefonnr"""
MOBILE_WORDS = """
    行動電話 핸드폰번호 휴대전화번호 mobilnog mobilni komórka komórkowy komórkowa komórkowego mobilní mobilného
    mobilný mobilen mobilnummer mobilnr matkapuhelin kännykkä mobilszám mobilja κινητό κινητού мобильный
    мобильного мобильныи сотовый моб мобільний мобільного mobitel 携帯 携帯電話 携帯番号 携帯電話番号 手机
    手机号 手机号码 手機 手機號碼 移动电话 휴대폰 휴대전화 핸드폰 휴대폰번호 الجوال جوال المحمول الموبايل נייד
    הנייד סלולרי ponsel mobiilne mobiil"""
WORK_WORDS = """
    للعمل 企业 służbowy służbowa służbowego firmowy firmowa biurowy praca pracy biuro pracovní pracovný firemní
    firemný işyeri iş arbete arbetet arbets jobb arbejde arbeid kontor työ työpaikka munkahelyi céges irodai
    serviciu birou εργασίας εταιρικό рабочий рабочая рабочего робочий робоча корпоративный корпоративная
    службовий служебен poslovni službeni 会社 勤務先 職場 工作 公司 办公 辦公 公司用 직장 회사 사무실 العمل عمل
    המשרד עבודה kantor"""
HOME_WORDS = """
    prywatny prywatna prywatnego domowy osobisty soukromý soukromá súkromný osobní domů ev kişisel hem hemmet
    privat hjem koti henkilökohtainen otthoni magán személyes personală acasă οικίας προσωπικό личный личная
    домашний особистий особиста домашній privatni kućni 個人 个人 個人用 私人 自宅 家庭 개인 자택 집 الشخصي
    المنزل אישי בבית pribadi rumah"""
FILLER_WORDS = """
    stacjonarny adresiniz numaranız お ご 您的 联系 聯絡 adresy numer numeru adresa číslo čísla adresi numarası
    numara nr adress adressen numret nummeret nummer osoite cep broj numero cím címe szám adresă adresa de
    elektroniczny elektroniczna elektronicznej elektronická elektronické elektronikus διεύθυνση ηλεκτρονικό
    ηλεκτρονικού ηλεκτρονική адрес номер адреса アドレス 番号 地址 号码 號碼 주소 번호 رقم الإلكتروني الالكتروني
    إلكتروني عنوان כתובת מספר אלקטרוני alamat nomor số địa chỉ el"""
CITY_NAMES = """
    localitate 所在城市 miasto miejscowość stad město obec mesto şehir by poststed kaupunki paikkakunta város
    település oraș oraşul πόλη город місто град grad miestas pilsēta linn 市区町村 市 城市 도시 المدينة מגורים
    עיר kota thànhphố"""
STATE_NAMES = """
    województwo megye județ län fylke kanton область регион 都道府県 省 省份 州 지역 المنطقة provinsi oblast"""
COUNTRY_NAMES = """
    kraj krajregion państwo země krajina ülke maa ország țară țara χώρα страна країна държава država zemlja
    šalis valsts riik 国 国名 国家 國家 국가 나라 الدولة البلد מדינה ארץ negara quốcgia"""
OTHER_PEOPLE = """
    opiekun właściciel handlowiec vlastník obchodník sahibi sorumlu ägare ansvarig säljare ejer eier sælger
    selger omistaja vastuuhenkilö tulajdonos felelős proprietar responsabil υπεύθυνος владелец ответственный
    менеджер власник відповідальний собственик vlasnik 所有者 営業担当 担当営業 所有人 负责销售 소유자 영업담당
    المالك בעלים pemilik"""
LINKEDIN_WORDS = """
    领英 領英 リンクトイン 링크드인 линкедин лінкедін"""
PROFILE_WORDS = """
    profilu profili profiili profilja профиль профіль профиля ссылка на посилання プロフィール 主页 链接 프로필
    الملف الشخصي حساب رابط פרופיל"""
PERSON_WORDS = """
    uczestnik uczestnika kontaktowy kontaktowa osoby kontaktní osoba kontaktná kapcsolattartó yhteyshenkilön
    επικοινωνίας контакта контактный контактного контактный клиента участника участник контактний 担当者
    ご担当者 参加者 담당자 참가자"""
CONTACT_WORDS = """
    联系方式 聯絡方式 連絡先 контакты контакти kontakty iletişim"""
