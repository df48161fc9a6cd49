"""The words of signatures, notices and banners in our three languages, and the device lines of others."""

from __future__ import annotations

import re
from typing import Final

GOODBYE: Final = re.compile(
    r"^[\s*_/—–-]{0,4}(?:с (?:глубоким |искренним |большим |наилучшими |неизменным )?(?:уважением"
    r"|пожеланиями|приветом|любовью)"
    r"|с наилучшими пожеланиями|всего (?:доброго|хорошего|наилучшего)|хорошего (?:дня|вечера)|удачного дня"
    r"|искренне ваш[аи]?|заранее (?:спасибо|благодарю|благодарен)|спасибо и хорошего дня"
    r"|с благодарностью|до свидания"
    r"|pagarbiai|su pagarba|geros dienos|gražios dienos|geriausi linkėjimai|geriausių linkėjimų"
    r"|linkėjimai|nuoširdžiai"
    r"|su geriausiais linkėjimais|iki pasimatymo|sėkmės|iš anksto dėkoju|dėkoju ir geros dienos"
    r"|geros savaitės"
    r"|(?:best|kind|warm|kindest|warmest|with best|with kind) (?:regards|wishes)|regards|sincerely"
    r"|yours (?:sincerely|faithfully|truly)"
    r"|best|cheers|thanks and regards|thanks & regards|thank you and best regards|many thanks"
    r"|with regards|br|rgds|kr"
    r"|mit freundlichen grüßen|freundliche grüße|viele grüße|cordialement|saludos|un saludo"
    r"|cordiali saluti|pozdrawiam"
    r"|med vänliga hälsningar|med vennlig hilsen|venlig hilsen|met vriendelijke groet(?:en)?"
    r"|ystävällisin terveisin|ar cieņu"
    r"|lugupidamisega|з повагою)(?!\w)[\s,.!*_—–-]{0,4}(?P<rest>.{0,140})$",
    re.IGNORECASE,
)
"""A line that says goodbye; `rest` may already hold the name."""

DEVICE: Final = re.compile(
    r"^[\s*_>-]{0,4}(?:sent (?:from|via|with|using) (?:my |the |a )?\S.{1,60}"
    r"|yahoo mail: search, organi[sz]e, conquer"
    r"|get outlook for .{2,40}|download outlook for .{2,40}"
    r"|отправлено (?:с|из|через|при помощи|от) \S.{1,60}|послано с \S.{1,50}|отправлено со? \S.{1,60}"
    r"|(?:получите|получить|скачать|скачайте|загрузить) outlook для .{2,60}"
    r"|išsiųsta (?:iš|naudojant|per|su) \S.{1,60}|siųsta iš \S.{1,50}|issiusta is \S.{1,60}"
    r"|(?:atsisiųsti|atsisiųskite|parsisiųsti|parsisiųskite|gauti|gaukite) „?outlook.{2,60}"
    r"|надіслано з \S.{1,60}"
    r"|gesendet (?:von|mit|aus) \S.{1,60}|von meinem .{2,40} gesendet|envoyé (?:de|depuis"
    r"|à partir de) \S.{1,60}"
    r"|enviado (?:desde|do|a partir|de) \S.{1,60}|inviato da(?:l|lla)? \S.{1,60}|verzonden (?:vanaf"
    r"|met|via|van) \S.{1,60}"
    r"|skickat från \S.{1,60}|sendt fra \S.{1,60}|lähetetty \S.{1,60}|wysłan[eoy] z \S.{1,60}"
    r"|odesláno z \S.{1,60}"
    r"|odoslané z \S.{1,60}|küldve .{2,50}|trimis (?:de pe|din) \S.{1,60}"
    r"|telefonumdan gönderildi.{0,30}|nosūtīts no \S.{1,50}"
    r"|saadetud minu \S.{1,50}|[^\n]{0,60}\bmit k-9 mail gesendet\.?|[^\n]{0,70}\bsent from my [^\n]{1,40}"
    r"|diese nachricht wurde von meinem .{2,60}|envoyé avec .{2,40})$",
    re.IGNORECASE,
)
"""A line that a phone or a mail app adds, without the addresses on the web that stand in it."""

DEVICE_HINTS: Final = (
    "sent", "yahoo", "outlook", "отправлено", "послано", "siųsta", "siusta", "надіслано", "gesendet",
    "envoyé", "enviado", "inviato", "verzonden", "skickat", "lähetetty", "wysłan", "odesláno", "odoslané",
    "küldve", "trimis", "gönder", "sendt", "nosūtīts", "saadetud", "von meinem",
)  # fmt: skip
"""Lines without any of these in lower case name no device; looking for them is much cheaper."""

_LINK: Final = re.compile(r"<(?:https?://|mailto:)[^<>\s]{1,300}>")


def is_device(text: str) -> bool:
    """True for such a line, with or without the links that programs write behind its words."""
    plain = _LINK.sub("", text) if "<" in text else text
    return len(plain) < 90 and DEVICE.match(plain) is not None


NOTICE: Final = re.compile(
    r"confidential(?:ity)?\b.{0,400}(?:intended|addressee|recipient|privileged|disclos|notice)"
    r"|(?:intended (?:only |solely )?for|if you (?:are not"
    r"|have received)).{0,300}(?:intended recipient|in error|by mistake|delete|notify)"
    r"|this (?:e-?mail|message|communication).{0,120}(?:confidential|privileged|intended (?:only"
    r"|solely)|legally)"
    r"|(?:think|consider) (?:about )?the environment before printing|please consider the environment"
    r"|(?:this (?:e-?mail|message) (?:has been|was) (?:checked|scanned))|virus-free|no virus found|avast\.com"
    r"|конфиденциальн.{0,400}(?:адресат|предназнач|получател|удал|разглаш|сообщени)"
    r"|предназначен[оаы]?.{0,60}исключительно.{0,80}адресат"
    r"|(?:настоящ|данн|эт)\S{1,4} (?:электронн\S+ )?(?:сообщени|письм).{0,200}(?:конфиденциальн"
    r"|не является (?:офертой|публичной)|предназнач\S+ (?:только|исключительно))"
    r"|если вы получили (?:это|данное|настоящее|его).{0,80}(?:ошиб|случайно)|без вирусов\."
    r"|проверено антивирусом|не является публичной офертой"
    r"|подумайте об окружающей среде|берегите природу"
    r"|konfidencial.{0,400}(?:adresat|gavėj|skirt|ištrin|atskleis|informacij)|(?:šis"
    r"|šiame) (?:el\. ?|elektronin\S+ )?(?:laišk|pranešim|pašto).{0,200}(?:konfidencial"
    r"|skirt\S* tik|skirta tik)"
    r"|jei(?:gu)? (?:ši\S+ |šį )?(?:laišk\S+ |pranešim\S+ |jūs )?gavote.{0,60}(?:klaid|atsitiktin)"
    r"|tausokite gamtą|prieš spausdindami|tikrinta.{0,40}antivirus",
    re.IGNORECASE | re.DOTALL,
)
"""A paragraph of law or housekeeping, not of business."""

NOTICE_HINTS: Final = (
    "confiden", "intended", "in error", "by mistake", "environment", "virus", "avast", "checked",
    "scanned", "privileged",
    "конфиден", "предназначен", "ошиб", "случайно", "вирус", "оферт", "природ", "окружающ", "konfidenc",
    "klaid",
    "skirt", "gamt", "spausdin", "legally",
)  # fmt: skip
"""A paragraph without any of these in lower case is no notice; looking for them is much cheaper."""

BANNER_HINTS: Final = (
    "extern", "outside", "caution", "warning", "often get", "внешн", "извне", "вниман", "осторожно",
    "нечасто",
    "предупрежд", "важно", "išor", "dėmesio", "atsargiai", "įspėj", "nedažnai", "attention", "alert",
    "important", "notice",
)  # fmt: skip
"""The same for banners."""

BANNER: Final = re.compile(
    r"^[\s*\[(_!⚠️-]{0,8}(?:(?:external|caution|warning|attention|alert|important"
    r"|notice)\b.{0,300}(?:external|outside|originat|sender|organi[sz]ation|do not click"
    r"|attachments)"
    r"|(?:external (?:e-?mail|sender|message))|you don['’]t often get (?:e-?mail|mail) from"
    r"|this (?:e-?mail|message) (?:originated|came|was sent) from outside"
    r"|(?:внимание|осторожно|предупреждение|важно)\b.{0,300}(?:внешн|извне|отправител|вложени"
    r"|ссылк)|внешн\S+ (?:письмо|отправитель|почта)"
    r"|(?:dėmesio|atsargiai|įspėjimas|svarbu)\b.{0,300}(?:išor|siuntėj|pried|nuorod)"
    r"|išorin\S+ (?:laiškas|siuntėjas)"
    r"|вы нечасто получаете письма|jūs nedažnai gaunate|kai kurie žmonės,? gavę šį"
    r"|некоторые (?:пользователи|люди),? (?:котор\S+ )?получи\S+ это"
    r"|some people who received this message)",
    re.IGNORECASE | re.DOTALL,
)
"""A warning that the reader's own company puts above a letter from outside."""

POSITION: Final = re.compile(
    r"(?<!\w)(?:директор\w*|заместител\w*|начальник\w*|руководител\w*|менеджер\w*|специалист\w*"
    r"|инженер\w*|бухгалтер\w*|экономист\w*|юрист\w*"
    r"|администратор\w*|секретар\w*|помощник\w*|ассистент\w*|консультант\w*|технолог\w*|логист\w*"
    r"|закупщик\w*|снабжен\w+|аналитик\w*"
    r"|предприниматель|владелец|основатель|президент|председател\w*|координатор\w*|эксперт\w*"
    r"|маркетолог\w*|разработчик\w*|продаж|отдел\w*"
    r"|direktor\w*|vadov\w*|vadybinink\w*|vadybos|specialist\w*|inžinier\w*|buhalter\w*"
    r"|finansinink\w*|teisinink\w*|administrator\w*|sekretor\w*"
    r"|asistent\w*|konsultant\w*|technolog\w*|logist\w*|pirkėj\w*|analitik\w*|savinink\w*|įkūrėj\w*"
    r"|pirminink\w*|koordinator\w*|ekspert\w*|pardavim\w*"
    r"|pirkim\w*|skyri\w*|projektų|viršinink\w*|prezident\w*|rinkodaros|atstov\w*|meistr\w*"
    r"|director|manager|head of|chief|officer|ceo|cto|cfo|coo|cio|president|vice president|vp"
    r"|engineer|buyer|accountant|assistant|consultant"
    r"|specialist|analyst|owner|founder|partner|coordinator|administrator|secretary|developer|lead"
    r"|representative|executive|lawyer|advisor"
    r"|supervisor|procurement|purchasing|sales|marketing|department)(?!\w)",
    re.IGNORECASE,
)
"""Words of positions and departments."""

COMPANY: Final = re.compile(
    r"(?<!\w)(?:ООО|ОАО|ЗАО|ПАО|АО|ИП|НПО|НПП|ФГУП|ГК|ТД|ТОО|ЧП|ОсОО|UAB|AB|MB|IĮ|VšĮ|VĮ|TŪB|KB|SIA"
    r"|OÜ|AS|Ltd|LLC|LLP|Inc|GmbH|AG|PLC|Corp"
    r"|Limited|Oy|ApS|Sp\.? z ?o\.? ?o|S\.?A|B\.?V|S\.?r\.?l|Group|Holding)(?!\w)\.?|(?:компания"
    r"|группа компаний|завод|фирма|įmonė|bendrovė|įmonių grupė)(?!\w)"
)
"""Forms and names of companies."""

DETAIL: Final = re.compile(
    r"(?:\+\d|\b8[ (-]{1,2}\d|\b00\d)[\d\s()./-]{6,}|\(\d{3,5}\)\s?\d"
    r"|[^\s@]{1,64}@[^\s@]{1,120}\.\w{2,}|(?:https?://|www\.)\S+"
    r"|(?<!\w)(?:тел|моб|факс|phone|tel|mob|mobile|cell|fax|office|direct|t|m|e|f|w|skype|telegram"
    r"|whatsapp|viber|mobilus|faks|el\. ?p|эл\. ?почта"
    r"|e-?mail|ул|пр-т|просп|г|г\. ?москва|инн|огрн|кпп|įm\. ?k|įmonės kodas|pvm|g|pr|al|str|street"
    r"|ave|avenue|vilnius|kaunas|klaipėda|lt-\d+)\s?[.:]",
    re.IGNORECASE,
)
"""Phones, addresses and the like."""
