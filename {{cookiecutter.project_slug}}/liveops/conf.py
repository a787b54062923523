"""The settings of the engine: `LIVEOPS = {...}` in Django's settings, with these defaults."""

from typing import Any

from django.conf import settings


class LiveopsSettings:
    """Read a value as `conf.NAME`: what `settings.LIVEOPS` says, else the default below.

    Values are read at each access, so that `override_settings` works. Sizes are in bytes and
    times in seconds unless the name says otherwise. `liveops.checks` reports every value that
    cannot work.
    """

    # Who may use live operations: the name of a group, or "" for everyone who can sign in.
    REQUIRED_GROUP: str = ""
    # The dotted path of a subclass of `liveops.policy.Policy` with rules of the site's own.
    POLICY: str = ""
    # Origins that may open a websocket; empty: the hosts in ALLOWED_HOSTS.
    ALLOWED_ORIGINS: tuple[str, ...] = ()

    # How long a subscription token can be used, once.
    TOKEN_TTL: int = 300
    # A socket that has not subscribed by then is closed with 4408.
    SUBSCRIBE_WITHIN: float = 5.0
    # An open socket is authorised again this often, besides at once when an account changes.
    REVALIDATE_EVERY: float = 60.0
    # Sockets of one user in each web server; more are closed with 4429.
    MAX_CONNECTIONS_PER_USER: int = 20
    # Sockets of one address that have not subscribed yet, in each web server; more get 4429.
    MAX_CONNECTIONS_PER_ADDRESS: int = 100
    # Messages that a browser may send within ten seconds; more: 4429.
    MAX_MESSAGES: int = 300
    # The largest message that a browser may send.
    MAX_CLIENT_MESSAGE: int = 64 * 1024
    # A socket with more than this sent and not acknowledged gets one catch-up later, nothing now.
    MAX_UNACKNOWLEDGED: int = 256 * 1024

    # Operations that one user may start within a minute; 0: no limit.
    MAX_STARTS_PER_MINUTE: int = 30
    # The largest file that a start form takes, and what its name may end with; empty: anything.
    MAX_UPLOAD: int = 50 * 1024 * 1024
    UPLOAD_TYPES: tuple[str, ...] = (
        *("csv", "tsv", "txt", "json", "xml", "xlsx", "ods", "docx", "odt", "pdf"),
        *("png", "jpg", "jpeg", "gif", "webp", "zip", "gz"),
    )

    # A running operation shows a sign of life this often.
    HEARTBEAT_EVERY: float = 5.0
    # Without any sign of life for so long, a run counts as lost.
    LOST_AFTER: float = 30.0
    # So many operations of one user run at a time; 0: no limit. See also `max_running` of a kind.
    MAX_RUNNING_PER_USER: int = 0
    # A run that does not obey a cancel request is interrupted, and then terminated, after so long.
    CANCEL_GRACE: float = 15.0
    # A kind with `retry_when_lost` is started again up to this attempt.
    MAX_ATTEMPTS: int = 3
    # A queued operation that nobody claimed for so long gets its message sent again.
    RESEND_AFTER: float = 60.0

    # Workers and scheduler touch this file at each sign of life; "": there is none.
    ALIVE_FILE: str = ""
    # Where they serve their metrics over http, such as "0.0.0.0:9100"; "": nowhere.
    METRICS_ADDRESS: str = ""

    # Finished operations are deleted after so many days, with logs and files; 0: never.
    RETENTION_DAYS: int = 90

    # The end of the log that a frame or a page shows; the record has every line.
    LOG_TAIL_LINES: int = 200
    LOG_TAIL_BYTES: int = 32 * 1024
    # A browser that was away gets up to this many missed lines, else the tail.
    CATCH_UP_LINES: int = 2_000
    # Characters of a log line that the page shows; the download has the whole line.
    LOG_LINE_CHARS: int = 4_000
    # Reports held in memory until the database has them; beyond, `p.log()` waits.
    MAX_PENDING: int = 4 * 1024 * 1024
    # The largest region that `p.swap` and `p.html` may keep.
    MAX_REGION: int = 64 * 1024

    def __getattribute__(self, name: str) -> Any:
        default = super().__getattribute__(name)
        if not name.isupper():
            return default
        return getattr(settings, "LIVEOPS", {}).get(name, default)


conf = LiveopsSettings()
