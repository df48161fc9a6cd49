"""The words of mail servers that say why a letter was not delivered, in English, Russian and Lithuanian."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final


class BounceClass(StrEnum):
    """Why a letter came back.

    invalid: there is no such address or domain. full: the mailbox is over its quota. blocked: the sending
    server or domain is refused (block list, reputation, no authentication). policy: this letter is refused
    (content, spam, virus, rules of the receiver). size: too large. temporary: may work later by itself.
    other: none of these, such as a closed or suspended account.
    """

    INVALID = "invalid"
    FULL = "full"
    BLOCKED = "blocked"
    POLICY = "policy"
    SIZE = "size"
    TEMPORARY = "temporary"
    OTHER = "other"


def _any(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(phrases), re.IGNORECASE)


PHRASES: Final[tuple[tuple[BounceClass, re.Pattern[str]], ...]] = (
    (
        BounceClass.FULL,
        _any(
            r"(?:mail ?box|mailfolder|inbox|account|user|recipient)\S{0,3}(?: [^\s:]+){0,5} (?:is "
            r"|are |was )?(?:too )?(?:full|over ?quota|exceed\w* (?:\S+ )?(?:quota|storage|limit))",
            r"over (?:\w+ )?quota|quota (?:is |has been |was )?(?:exceeded|full|violation)"
            r"|exceed\w* (?:\S+ ){0,4}quota|quotaexceeded|disk quota",
            r"mail ?box (?:is |was )?(?:full|overflow)|mailbox size limit|mailbox limit"
            r"|out of storage|insufficient (?:disk |mailbox )?(?:space|storage|quota)"
            r"|not enough (?:storage )?space|exceeded (?:\S+ )?storage|storage (?:quota|limit"
            r"|allocation)|over the (?:maximum )?allowed quota|mailfull|boxfull"
            r"|maildir (?:delivery failed|over)",
            r"mailbox exceeded|has exceeded (?:his|her|their|its|the) (?:\S+ )?(?:disk|space"
            r"|mailbox)|too many messages (?:on this|in) mail|no space left (?:in|on) (?:mail|user)"
            r"|inbox full",
            r"(?:ящик|аккаунт|уч[её]тн\S+ запис)\S{0,2} (?:\S+ ){0,3}(?:переполнен|полон)"
            r"|переполнен\S* (?:почтов\S+ )?ящик"
            r"|превышен\S{0,3} (?:\S+ ){0,2}(?:квот|лимит|объ[её]м)\S* (?:почтов\S+ )?(?:ящик)?"
            r"|недостаточно места в (?:почтов\S+ )?ящик",
            r"(?:nebeliko|nėra|trūksta|neužtenka) (?:laisvos )?vietos|закончилось место"
            r"|нет (?:свободного )?места"
            r"|исчерпан\S{0,2} (?:\S+ ){0,2}(?:квот|мест|объ[её]м)|d[ėe]žut\S{1,3} (?:\S+ ){0,3}(?:piln"
            r"|perpildyt)"
            r"|perpildyt\S{0,3} (?:\S+ ){0,3}d[ėe]žut|viršyt\S{0,3} (?:\S+ ){0,3}(?:kvot|d[ėe]žut)"
            r"|nepakanka vietos (?:pašto )?d[ėe]žut",
        ),
    ),
    (
        BounceClass.SIZE,
        _any(
            r"message (?:\S+ ){0,4}(?:too (?:big|large|long)|exceeds? (?:\S+ ){0,6}(?:size|limit"
            r"|maximum|length))|(?:message|mail|letter|body|data"
            r"|file) size (?:\S+ ){0,3}(?:exceeds?|limit|too)",
            r"exceeds? (?:\S+ ){0,3}(?:message|maximum|max|fixed|allowed|administrative|server'?s?"
            r"|size)[ -](?:\S+ ){0,3}(?:size|limit|length)|size (?:limit|of (?:the|this) (?:message"
            r"|mail)) ?(?:\S+ ){0,3}exceed|too large|msg too big|mesgtoobig|max(?:imum)? (?:message"
            r"|mail) size",
            r"message length exceeds|maximum allowed size|line limit exceeded"
            r"|larger than (?:the )?(?:current system|maximum)",
            r"размер (?:письма|сообщения|вложени\S+) (?:\S+ ){0,3}превыша|превыш\S+ (?:\S+ ){0,4}размер"
            r"|(?:письмо"
            r"|сообщение) (?:слишком|имеет слишком) (?:большое|велико|большой)"
            r"|слишком больш\S+ (?:письмо|сообщение|размер)",
            r"(?:laiškas|pranešimas) (?:yra )?per didelis|viršij\S* (?:\S+ ){0,4}dyd"
            r"|viršyt\S* (?:\S+ ){0,4}dyd"
            r"|dydis (?:\S+ )?virš",
        ),
    ),
    (
        BounceClass.INVALID,
        _any(
            r"user(?:name)? (?:\S+ ){0,3}(?:unknown|not found|does ?n[o']t exist|doesn.t exist"
            r"|not exist|is unknown|invalid|not known|not listed)|unknown (?:user|recipient|address"
            r"|account|mailbox|login|local[- ]part|virtual)",
            r"no such (?:user|recipient|mailbox|address|person|account|domain|local|addr|host|name"
            r"|id)|(?:does|do|did) ?n[o']t (?:exist|have an? (?:account|\S+ account))|doesn.t exist"
            r"|not a (?:valid|known) (?:user|recipient|mailbox|address|e-?mail|account)",
            r"(?:invalid|bad|unknown|nonexistent|non-existent|illegal"
            r"|incorrect) (?:\S+ )?(?:recipient|user|mailbox|address|destination|addressee|e-?mail"
            r"|account|final)|recipient (?:\S+ ){0,3}(?:unknown|not found|not exist|does not exist"
            r"|invalid|undefined|was not found|couldn.t be found)",
            r"(?:address|mailbox|account|recipient) (?:\S+ ){0,4}(?:not (?:found|exist)|unknown"
            r"|couldn.t be found|not recognized|not listed|does ?not|doesn.t|never existed"
            r"|no longer (?:valid|exists|available|in use))|(?:address|account) (?:unknown"
            r"|does not exist)",
            r"no (?:mailbox|account|user|recipient|valid recipient|one)s? (?:here )?(?:by that name"
            r"|with (?:that|this|the)|found|called|matching|at this|available)|no mailbox here"
            r"|not our customer|no longer (?:works|employed|here|with|a customer|valid"
            r"|an? (?:active|valid))",
            r"unrout(?:e)?able|unroutable|all relevant mx records point to non-existent|(?:host"
            r"|domain)(?: name)?(?: \S+){0,5} (?:not found|unknown|does not exist|not exist"
            r"|nonexistent|could not be found|couldn.t be found|not known)|unknown (?:host|domain)"
            r"|host unknown",
            r"name or service not known|no such domain|domain (?:does ?n[o']t exist|name not found"
            r"|not found)|nxdomain|nullmx|null mx|(?:host|domain|server) does ?n[o']t (?:accept"
            r"|receive) (?:\S+ )?e?-?mail\b|malformed or unexpected name server reply|no mx found"
            r"|can.t find (?:a )?valid mx|no (?:valid )?(?:mx|a record|hosts)|unable to look ?up"
            r"|dns[- ](?:error|lookup failure).{0,40}(?:not exist|nxdomain)|illegal host/domain",
            r"(?:recipient|address|user|addressee|rcpt"
            r"|mailbox)\S{0,2}(?: address)? rejected: (?:user|unknown|no such|undeliverable"
            r"|recipient|mailbox|access denied)|user reject",
            r"couldn.t be found|wasn.t found at|adres\S* nepavyko rasti|не удалось найти (?:\S+ ){0,2}адрес"
            r"|account or domain may not exist|requested (?:mail )?action (?:not taken"
            r"|aborted): mailbox unavailable|recipient address rejected\.?\s*$"
            r"|no valid recipients?|domain is not reachable|this user doesn.t have"
            r"|doesn.t have (?:a|an) \S+ account|(?:has|have|was) (?:moved|been deleted|been closed"
            r"|changed)|user has moved|not known (?:at|here)|recipnotfound|recipient not found"
            r"|unknown-user|invalid-recipient|bad destination mailbox|badrecipient"
            r"|addressee unknown|recipient address reserved|no users? (?:here|there) by that name",
            r"нет такого (?:\S+ )?(?:пользовател|адрес|ящик|получател)|(?:пользовател|получател"
            r"|адрес|ящик|домен|сервер)\S{0,3} (?:\S+ ){0,3}не (?:найден|существ|зарегистрирован"
            r"|известен)|не существует (?:такого )?(?:\S+ )?(?:пользовател|адрес|ящик|домен"
            r"|получател)|не существует|неизвестн\S+ (?:пользовател|получател|адрес)"
            r"|несуществующ\S+ (?:адрес|пользовател|получател|ящик)|неправильн\S+ адрес"
            r"|неверн\S+ адрес",
            r"n[ėe]ra tokio (?:\S+ )?(?:vartotoj|adres|gav[ėe]j|pašto)"
            r"|toki[oas]\S* (?:\S+ ){0,3}(?:n[ėe]ra|nerast|neegzistuoj)|(?:vartotoj|gav[ėe]j"
            r"|adresat|adres|d[ėe]žut|domen|paštas)\S{0,4} (?:\S+ ){0,3}(?:nerast|neegzistuoj"
            r"|nežinom|nežinoma)|nežinom\S{1,2} (?:vartotoj|gav[ėe]j|adres)"
            r"|neteising\S{1,2} (?:gav[ėe]jo |el\.? pašto )?adres",
        ),
    ),
)
"""Tried in order over what the refusing server said; the first that is found decides."""

SENDER: Final = _any(
    r"(?:unroutable|invalid|unknown|bad|domain of) sender|sender(?:'s)? (?:address"
    r"|domain)(?: \S+){0,3} (?:does not|not|rejected|denied|refused|invalid|unknown|verif)"
    r"|from: domain is invalid|domain of sender",
    r"poor (?:\S+ )?reputation|bad (?:\S+ )?reputation|low reputation|ip reputation|user complaints"
    r"|spamhaus|(?<!be )black-?list|block-?list|reverse dns|\bPTR\b|\bDMARC\b|unverifyable"
    r"|unverifiable|ip name lookup failed",
)
"""The sender's side is refused for what it is, whatever else is said."""

GROUP: Final = _any(
    r"groups\.google\.com/support|group .{0,80}may not exist|permission to post"
    r"|not a member of (?:the|this) (?:group|list)|only members (?:may|can) post"
    r"|posting (?:is )?(?:not allowed|restricted)",
)
"""A group or list that may exist but does not take this letter."""

NO_DOMAIN: Final = _any(r"\bnxdomain\b|domain name not found")
"""The domain is in no name server, whatever the failed connection is called."""

RATE: Final = _any(
    r"frequency limit|too many (?:concurrent |simultaneous |smtp )?(?:connections|sessions"
    r"|recipients|messages)|rate limit|at a rate that|(?:sending|receiving) (?:mail "
    r"|messages )?(?:too (?:fast|quickly)|at a rate)|connection rate",
    r"procmail: |couldn.t create|command (?:died|output)|delivery failed \d+ attempts"
    r"|transaction failed\s*$|did not accept our requests to connect",
)
"""Too much at once, or a broken program at the other end."""

BLOCKED: Final = _any(
    r"black ?-?list|block ?-?list|blocklisted|\bRBL\b|dnsbl|spamhaus|spamcop|sorbs|barracudacentral"
    r"|proofpoint|cloudmark|senderscore|poor (?:\S+ )?reputation|bad (?:\S+ )?reputation"
    r"|low reputation|reputation (?:of|is)|on our (?:block|black)",
    r"relay quota|sending (?:quota|limit)|\b(?:ip|host|server|client|sender|domain|address"
    r"|connection|network|mail|message|you)\S{0,4} (?:\S+ ){0,5}(?:is |are |has been |was "
    r"|been )?(?:blocked|banned|blacklisted|listed (?:in|on|by|at))|blocked (?:by|using|for"
    r"|because)|access (?:denied|from)|connections? (?:not accepted|refused (?:from|by policy)"
    r"|rejected)|your (?:ip|host|server)\b",
    r"reverse dns|reverse (?:lookup|mapping|hostname)|\bPTR\b|rdns|does not resolve"
    r"|cannot find your (?:hostname|reverse)|fix reverse|unknown helo|helo (?:command )?rejected"
    r"|client host rejected|hostname|forged|no ptr",
    r"\bSPF\b|\bDKIM\b|\bDMARC\b|sender (?:id|policy framework|verif)|unauthenticated (?:mail|email"
    r"|messages)|not authenticat|authentication (?:checks|required|results?)|authenticat\S* (?:is"
    r"|are) required|not (?:authorized|permitted|allowed) to (?:send|use|relay)"
    r"|sender (?:address )?(?:rejected|denied|refused|not)|domain of sender|sender domain"
    r"|verify sender|backscatter",
    r"attack|too many (?:spam|bad)|throttl|suspicio|unsolicited .{0,30}(?:ip|originating|from your)"
    r"|заблокирован\S{0,2} (?:\S+ ){0,3}(?:ip|адрес|сервер|отправител)|ч[её]рн\S+ спис|юодай"
    r"|juod\S+ sąraš|užblokuot\S{0,3} (?:\S+ ){0,2}(?:ip|serveri|siunt)",
)
"""The sending side is refused."""

POLICY: Final = _any(
    r"\bspam\b|unsolicited|junk|bulk e?mail|virus|malware|infected|phish|content[- ](?:filter"
    r"|reject|policy|violat)|message (?:content )?(?:rejected|refused|denied|blocked"
    r"|contained unsafe|looks like|was flagged|filtered)|rejected (?:due to|for|by|because)"
    r"|polic(?:y|ies)|violat|prohibited|restricted|not (?:allowed|permitted|authorized|accept)",
    r"insecure mail relay|relay(?:ing)? (?:\S+ )?(?:denied|not|prohibited|access|attempt)"
    r"|unable to relay|cannot relay|no relay|header|rfc ?\d{3,4}|non-?compliant|not compliant|mime"
    r"|attachment (?:type|is|not)|banned (?:file|content|attach)|security|filter|unsafe|deny|denied"
    r"|refused|rejected|dlp|encrypt",
    r"спам|вирус|вредонос|политик\S* (?:\S+ )?безопасн|отклонен\S? (?:\S+ )?(?:получател|сервер"
    r"|фильтр|политик)|отвергнут|запрещен|šiukšl|brukal|virus|atmest\S* (?:\S+ )?(?:d[ėe]l|gav[ėe]j"
    r"|server)|draudžiam|politik",
)
"""This letter is refused."""

CLOSED: Final = _any(
    r"(?:account|mailbox|user|recipient|address|e-?mail)\S{0,2} (?:\S+ ){0,4}(?:disabled|inactive"
    r"|suspended|deactivated|discontinued|locked|blocked|not active|expired|on hold|terminated"
    r"|frozen)|(?:disabled|inactive|suspended|deactivated|closed|expired"
    r"|locked) (?:\S+ )?(?:account|mailbox|user|recipient|address)"
    r"|not (?:currently )?accepting (?:mail|messages)|temporarily (?:inactive|disabled)"
    r"|has been (?:disabled|suspended|deactivated)",
    r"(?:ящик|аккаунт|уч[её]тн\S+ запис|пользовател)\S{0,3} (?:\S+ ){0,3}(?:заблокирован"
    r"|отключ[её]н|деактивирован|неактивен|приостановлен)|(?:paskyra|d[ėe]žutė"
    r"|vartotojas) (?:\S+ ){0,3}(?:užblokuot|išjungt|neaktyv|sustabdyt)",
)
"""The account exists but is closed for now; nobody knows for how long."""

TEMPORARY: Final = _any(
    r"timed? ?out|time-?out|connection (?:refused|reset|lost|dropped|failed|was|could not|died"
    r"|closed|timed|attempt)|connect(?:ion)? to \S+ (?:\S+ ){0,3}(?:failed|refused|timed)"
    r"|unreachable|no route|network|(?:try|retry) (?:again|later)|again later|temporar|deferred"
    r"|grey-?list|gray-?list|(?:retry|delivery) (?:timeout|time|period|limit)(?: \S+){0,3} exce"
    r"|too long in the queue|queue (?:too long|lifetime|expired)",
    r"could not be delivered (?:for|within|in|after)|(?:has not been|not yet been|still being"
    r"|not been able to) (?:delivered|retried|deliver)|delivery (?:has been |was )?delayed|expired"
    r"|giving up|(?:too many|maximum|exceeded) (?:\S+ ){0,3}(?:connections?|sessions?|concurrent"
    r"|rcpt|recipients? (?:per|this)|messages? (?:per|from|sent|in)|hops|retries)|rate ?limit|speed"
    r"|too (?:fast|frequent|much mail|many (?:messages|mails))|resources|disk (?:is )?full"
    r"|no space left|system (?:error|full|resources|failure|storage)|local (?:error|configuration"
    r"|problem)|(?:internal|server|software|configuration|i/o|read|write|protocol) error|mail ?loop"
    r"|loop(?:s|ing)? (?:back|detected)|service (?:unavailable|not available|is unavailable)"
    r"|unavailable|overload|busy|out of (?:memory|resources)|command (?:died|output|failed)|pipe"
    r"|procmail|died|script|dovecot|deliver(?:y)? (?:agent|program)|aliasing|forwarding loop"
    r"|name server|dns|resolv|lookup|host (?:or domain )?name lookup|conversation with"
    r"|lost connection|tls|starttls|certificate|handshake|ssl",
    r"врем[яени]+ (?:ожидани|доставк|хранени)\S* (?:\S+ ){0,3}(?:истек|превыш)|временн\S+ (?:ошибк"
    r"|проблем|недоступ)|временно|повтор\S+ (?:попытк|позже)|позже|не отвечает|недоступен|соединени"
    r"|задерж|laikin|v[ėe]liau|neatsako|nepasiekiam|ryš|skirtasis laikas|laikas baig[ėe]si"
    r"|atid[ėe]t|v[ėe]luoja",
)
"""May work later."""
