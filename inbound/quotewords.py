"""The words mail programs put around old mail, by language: labels, verbs, months and separator phrases."""

from __future__ import annotations

from typing import Final

from inbound.wordlist import phrases, words

LABELS: Final[dict[str, str]] = {}
"""A header label in any language, lower case, to its role: from, date, to, cc, subject, other."""

_BY_ROLE: Final = {
    "from": """
        from|от|от кого|отправитель|nuo|siuntėjas|siuntejas|nuo ko|von|absender|de|expéditeur|van|afzender
        från|avsändare
        fra|avsender|afsender|lähettäjä|od|nadawca|odesílatel|odosielateľ|šalje|pošiljatelj|saatja
        kellelt|feladó|da
        mittente|de la|expeditor|kimden|gönderen|від|від кого|відправник|no|sūtītājs|remitente|remetente
        送信元|差出人
        发件人|из|ад|ад каго|από|保出人|보낸 사람|von kontakt|message from
        """,
    "date": """
        date|sent|message du|отправленные|отправлено в|siųsta|siusta|siųsta data|išsiuntė|sent on|sent at
        дата|отправлено|дата отправки|отправлен|data|išsiųsta|issiusta
        išsiuntimo data|gesendet
        datum|gesendet am|envoyé|envoyé le|enviado|enviado el|enviada em|enviado em|enviada|fecha|inviato
        data invio
        verzonden|skickat|skickat den|sendt|dato|lähetetty|päiväys|päivämäärä|wysłano|wysłane|odesláno
        dátum|elküldve
        küldve|trimis|poslano|tarih|gönderildi|gönderme tarihi|gönderilme zamanı|надіслано|nosūtīts|datums
        saadetud
        kuupäev|odoslané|日付|送信日時|发送时间|datum odeslání|дата отправления|адпраўлена|ημερομηνία|send
        """,
    "to": """
        to|кому|kam|iki|gavėjas|gavejas|an|à|a|para|til|till|aan|naar|vastaanottaja|do|komu|címzett|kime
        către|la|prima
        kellele|saaja|destinatario|destinataire|получатель|получатели|adresatas|empfänger|mottagare|宛先|送信先|收件人
        adresat|за|pentru|προς|alıcı|to whom|kome|do wiadomości odbiorcy|одержувач
        """,
    "cc": """
        cc|копия|копия (cc)|kopija|kopie|kopie (cc)|kopi|kopia|copie|copia|copie à|cópia|dw|másolat|kópia
        bilgi|копія
        cc/bcc|kopio|bcc|скрытая копия|slapta kopija|nematoma kopija|csetleni|сс|copy|kopia (cc)|ccopie
        копiя|抄送
        """,
    "subject": """
        subject|тема|тема письма|tema|antraštė|betreff|objet|asunto|assunto|oggetto|onderwerp|ämne|emne
        aihe|temat
        předmět|predmet|tárgy|subiect|konu|teema|temats|件名|主题|тэма|θέμα|re
        """,
    "other": """
        reply-to|reply to|ответить|ответить кому|atsakyti|importance|важность|svarba|attachments|attachment
        вложения
        priedai|anhänge|pièces jointes|priority|приоритет|organization|организация|message-id|x-mailer
        newsgroups|risposta
        categories|категории|wichtigkeit|mailed-by|signed-by|antwort an|répondre à|responder a
        list-unsubscribe|flag|files|файлы|failai
        """,
}
for _role, _text in _BY_ROLE.items():
    for _line in _text.split("\n"):
        for _label in _line.split("|"):
            if _label.strip():
                LABELS.setdefault(_label.strip(), _role)

VERB_WORDS: Final = words(
    """
    wrote writes написал написала написали написав написала пишет пишут пише писал писала писали
    сообщил сообщила
    сообщили ответил ответила rašė parašė rase parase rašo rašėte rasete parašėte schrieb geschrieben
    écrit escribió escribio
    escreveu scritto scrisse skrev skreiv kirjoitti kirjutas rakstīja napisał napisała napsal
    napsala pisze napisali
    napísal napísala írta
    написано
    yazdı yazmış geschreven schreef scris napisao napisala напісаў напісала έγραψε 写道 書きました 작성
    """
)
"""Words for `wrote`."""

VERBS: Final = "|".join(
    sorted((f"{word}(?:\\([аaла]{{1,2}}\\))?" for word in VERB_WORDS), key=len, reverse=True)
)
"""The same as a regular expression, with the feminine ending that programs put in brackets."""

MONTHS: Final = (
    "jan|feb|mar|mär|maa|apr|may|mai|maj|mei|jun|jul|aug|sep|oct|okt|nov|dec|dez|des|dic|déc|ene"
    "|abr|ago|set|out|gen|mag"
    "|giu|lug|ott|fév|fev|avr|juin|juil|août|янв|фев|мар|апр|ма[йя]|июн|июл|авг|сен|окт|ноя|дек"
    "|saus|vas|kov|bal|geg"
    "|birž|birz|liep|rugp|rugs|spal|lapkr|gruod|sty|lut|kwi|cze|lip|sie|wrz|paź|lis|gru|led|úno"
    "|bře|dub|kvě|čer|srp|zář"
    "|říj|pro|січ|лют|бер|квіт|трав|черв|лип|серп|вер|жовт|лист|груд|jaan|veeb|märts|juuni|juuli"
    "|ian|iun|iul|tam|hel|huh"
    "|tou|kes|hei|elo|syys|loka|mar|joul|oca|şub|nis|haz|tem|ağu|eyl|eki|kas|ara|sij|velj|ožu|tra"
    "|svi|kol|ruj|pros|stud"
)
"""The beginnings of month names, as a regular expression; only ever used beside a number."""

FORWARDED: Final = frozenset(
    phrases(
        """
        forwarded message
        begin forwarded message
        forwarded mail
        forwarded by
        fwd.msg
        start of forwarded message
        пересылаемое сообщение
        пересланное сообщение
        пересылаемое письмо
        пересланное письмо
        перенаправленное сообщение
        переадресованное сообщение
        начало переадресованного сообщения
        начало пересылаемого сообщения
        начало перенаправленного сообщения
        конец пересылаемого сообщения
        исходный текст сообщения
        пересланное сообщение следует
        original message text
        originalus laiško tekstas
        persiųstas laiškas
        persiųstas pranešimas
        persiųsta žinutė
        persiunčiamas laiškas
        persiunčiamas pranešimas
        persiunčiama žinutė
        persiunčiamo laiško pradžia
        persiųsto laiško pradžia
        persiustas laiskas
        переслане повідомлення
        початок листа, що пересилається
        перасланае паведамленне
        weitergeleitete nachricht
        anfang der weitergeleiteten nachricht
        weitergeleitete e-mail
        message transféré
        message transmis
        début du message réexpédié
        début du message transféré
        mensaje reenviado
        inicio del mensaje reenviado
        messaggio inoltrato
        inizio messaggio inoltrato
        mensagem encaminhada
        mensagem reencaminhada
        início da mensagem encaminhada
        início da mensagem reencaminhada
        doorgestuurd bericht
        begin doorgestuurd bericht
        doorgestuurde e-mail
        vidarebefordrat meddelande
        vidarebefordrat mejl
        vidarebefordrat brev
        videresendt meddelelse
        videresendt besked
        start på videresendt besked
        videresendt melding
        start på videresendt melding
        välitetty viesti
        välitetty viesti / fwd.msg
        välitetty viesti alkaa
        edelleenlähetetty viesti
        przesłana wiadomość
        przekazana wiadomość
        wiadomość przekazana dalej
        początek przekazywanej wiadomości
        treść przekazanej wiadomości
        přeposlaná zpráva
        předaná zpráva
        začátek přeposílané zprávy
        preposlaná správa
        začiatok preposlanej správy
        továbbított üzenet
        továbbított levél kezdete
        mesaj redirecționat
        mesaj redirecţionat
        mesaj înaintat
        începutul mesajului redirecționat
        proslijeđena poruka
        započni proslijeđenu poruku
        iletilen ileti
        iletilmiş mesaj
        iletilen mesaj
        ileti başlangıcı
        edastatud kiri
        edastatud sõnum
        pārsūtīta ziņa
        pārsūtīts ziņojums
        メッセージを転送
        転送されたメッセージ
        转发的邮件
        """
    )
)
"""What stands between dashes, or before a colon, above a forwarded letter."""

SAID_FORWARDED: Final = frozenset(
    phrases(
        """
        this is a forwarded message
        это пересланное сообщение
        это переадресованное сообщение
        tai persiųstas laiškas
        """
    )
)
"""A line of its own above a forwarded letter, without dashes or colon."""

ORIGINAL: Final = frozenset(
    phrases(
        """
        original message
        original email
        original appointment
        reply message
        исходное сообщение
        исходное письмо
        оригинальное сообщение
        первоначальное сообщение
        первоначальное письмо
        предыдущее сообщение
        цитируемое сообщение
        pradinis laiškas
        pradinis pranešimas
        pirminis laiškas
        pirminis pranešimas
        originalus laiškas
        originalus pranešimas
        originali žinutė
        pradinis laiskas
        originalus laiskas
        вихідне повідомлення
        оригінальне повідомлення
        ursprüngliche nachricht
        originalnachricht
        message d'origine
        message d’origine
        message original
        mensaje original
        mensagem original
        messaggio originale
        oorspronkelijk bericht
        origineel bericht
        ursprungligt meddelande
        originalmeddelande
        oprindelig meddelelse
        original besked
        opprinnelig melding
        alkuperäinen viesti
        wiadomość oryginalna
        oryginalna wiadomość
        původní zpráva
        pôvodná správa
        eredeti üzenet
        mesaj original
        izvorna poruka
        özgün ileti
        orijinal mesaj
        oriģinālā ziņa
        sākotnējais ziņojums
        algne kiri
        algsõnum
        """
    )
)
"""What stands between dashes above the letter that is answered."""
