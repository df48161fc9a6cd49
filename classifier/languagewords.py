"""Small common words by which a language in Latin letters is known."""

from __future__ import annotations

ENGLISH = frozenset(
    """
the and you your we our are is was were have has had will would can could should this that these those with for from
not but they them their there here what when where which who why how please thanks thank dear hello hi regards kind
best would like need send let know about any some also been being into more most other than then very just only
if or by at it its of on an be as to in my me he she his her us do does did get got one two new all out up off
yes no ok sorry best sincerely price quote order invoice delivery meeting call offer attached asap today tomorrow
yesterday week month after before because still yet again already looking forward hope could've we're i'm it's don't
doesn't can't we'd i'd you're we'll won't haven't isn't didn't interested question information company regarding
order's shipment payment contract product products customer support team help available possible both between during
each few good great make many much may might must next over same since so such take through under until want way well
while within without work working year years find see say said use used using back down even first last long now
""".split()
)

LITHUANIAN = frozenset(
    """
ir ar kad bet kai kaip kas kur kuris kuri kurie yra buvo bus esame esate esu nėra nera taip pat jei jeigu nes dėl del
su be iš is į prie po per už uz nuo iki apie pagal kol jau dar tik labai laba laba diena sveiki labas aciu ačiū dekui dėkui prašau
prasau prašome prasome prašom prasom norime norime norėtume noretume norėčiau noreciau galite galėtumėte galetumete
galėtumet galetumet galime galima gal reikia reikėtų reiketu mums jums mus jus jūs mes aš jūsų jusu mūsų musu mano
savo jo jos jų ju tai tas ta tie tos šis sis ši šie sie šią sia šio sio tą ta to tos visi visas visa viskas kiek kokia
kokie koks kokią kokia kokio kada kodėl kodel pagarbiai geros dienos linkėjimai linkejimai sutartis sutartį sutarti
sąskaita saskaita sąskaitą saskaita užsakymas uzsakymas užsakymą uzsakyma kaina kainos kainą pasiūlymas pasiulymas
pasiūlymą pasiulyma pristatymas pristatymo atsiųskite atsiuskite siunčiu siunciu siųsti siusti gavome gavau gauti
dienos dieną diena savaitę savaite savaitės mėnuo mėnesį menesi metų metu rytoj šiandien siandien vakar ačiu ne nei
nebe daugiau mažiau maziau turite turime turi būtų butu būti buti buvome gali galiu norėjau norejau turėtų todėl todel
tačiau taciau arba dabar iškart kartą karta kartu kitas kitą kita kito vienas viena vieną dviejų trys keturi penki
įmonė imone įmonės imones uab susisiekti susisiekite paskambinkite skambinti informuoti informuokite dėkoju dekoju
laukiu laukiame lauksiu klausimas klausimų klausimu negalime negaliu nori noriu nieko niekas neveikia veikia
""".split()
)

RUSSIAN_LATIN = frozenset(
    """
zdravstvuyte zdravstvuite zdravstvujte zdrastvuite privet dobryj dobryy dobriy dobrij dobry den dnya dnia vecher utro
spasibo pozhaluysta pozhaluista pojaluista pozhalujsta pozaluista pozhaluysto
skolko stoit chto shto eto kak kogda gde kto pochemu nuzhno nuzhen nuzhna nujno nujen nado nam vas vam vash vasha vashi
vashu vashego nash nasha nashi nashu nashego my vy mne menya menja tebe ego ih est yest net nyet mozhno mozhete mojno mozhet
mogu mogut hotim hochu hoteli hotelos hotel khotim khotel khoteli khotelos by bylo budet budem budu byl byla esli
ili tolko uzhe uje eshche esche eshe ochen tozhe takzhe takje zakaz zakaza zakazat zakazali schet schyot scheta tsena cena tsenu cenu
tseny ceny dostavka dostavku dostavki dogovor dogovora oplata oplatu oplatili prishlite vyshlite otpravte otpravili
poluchili poluchit ne ni na po pri ot dlya dlja iz za do bez so nas vsyo vse segodnya segodnja zavtra vchera poka
rabotaet nerabotaet srochno zhdem zhdu zhdyom ждем s uvazheniem uvazheniyem otvet otvette pozvonite zvonite
perezvonite kompaniya kompanii firma firmy nashey vashey seychas seichas sejchas pochta pochtu kotoryj kotorye
podskazhite skazhite skinte kakie kakaya kakoy kakoj kakuyu sroki srok chasov raz tak togda potom
""".split()
)

RUSSIAN_LATIN_ENDINGS = (
    "ogo", "ego", "aya", "oye", "yye", "iye", "ie", "ymi", "imi", "yj", "iy", "yy", "oj", "oy", "uyu", "uju", "aja",
    "ete", "ite", "yte", "ujte", "uyte", "aet", "uet", "yut", "ut", "ali", "ili", "eli", "lsya", "tsya", "tsa", "at",
    "it", "ovat", "nost", "nosti", "eniya", "enie", "enija", "aniya", "anie", "tsii", "tsiya", "shch", "osti",
)  # fmt: skip

FOREIGN = (
    frozenset(
        """
und der die das nicht mit für sie wir ist sind haben werden bitte danke sehr geehrte grüßen freundlichen ihre unser
einen eine auch oder noch zum zur auf aus wie kein
le la les des une est nous vous dans pour pas sur avec merci bonjour cordialement votre notre sont que qui
el los las del una por para con gracias hola saludos estimado nuestro usted más pero esta como
jest nie dzień dobry proszę czy się dla oraz jako pan pani dziękuję pozdrawiam nasz nasza państwa także
un ir kas nav mūsu jūsu lūdzu paldies labdien vai arī tiek kā šo par
ja ei on see me teie tere palun aitäh kas või
och att det som är inte jag vi har för
il di che per non grazie buongiorno nostro vostro sono questo della
""".split()
    )
    - ENGLISH
    - LITHUANIAN
    - RUSSIAN_LATIN
)
