"""The site's settings. What differs between sites is an environment variable, see `.env.example`.

Variables that are already set win over `.env`, which need not exist.
"""

import hashlib
import os
from datetime import timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured

# The REST API. A site without it drops this line, the one in `urls.py`, and the folder `api/`.
from api.settings import *
from config import browser_policy, media, telemetry
from config.redis_servers import RedisServer, Sentinels, broker
from config.variables import (
    BASE_DIR,
    admin_path,
    env,
    file_to_touch,
    folder_to_write,
    listening_address,
    one_of,
    secret,
    whole_number,
)

# Whatever the site writes, unless a variable below says otherwise.
VAR_DIR = BASE_DIR / (os.environ.get("VAR_DIR") or "var")

DEBUG = env.bool("DEBUG", default=False)

# The site. Free text is taken as it is: `env` reads a leading "$" as another variable's name.

SITE_NAME = os.environ.get("SITE_NAME") or "Live operations"
DOMAIN_NAME = env.str("DOMAIN_NAME", default="")
ADMIN_EMAIL = os.environ.get("ADMIN_EMAIL", "")
ADMIN_PATH = admin_path()
ADMINS = [(SITE_NAME, ADMIN_EMAIL)] if ADMIN_EMAIL else []

LANGUAGE_CODE = "en"
# Only languages that `locale/` has: Django's own translations alone would mix two on a page.
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.str("TIME_ZONE", default="") or "UTC"
USE_TZ = True

# Secrets and names that production cannot do without

SECRET_KEY = os.environ.get("SECRET_KEY", "")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[]) or ([DOMAIN_NAME] if DOMAIN_NAME else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

if DEBUG:
    ALLOWED_HOSTS = [*ALLOWED_HOSTS, ".localhost", "127.0.0.1", "[::1]"]
    SECRET_KEY = SECRET_KEY or f"development-only-{hashlib.sha256(bytes(BASE_DIR)).hexdigest()}"

missing = []
if not SECRET_KEY:
    missing.append(
        "SECRET_KEY: a secret of 50 characters or more; make one with "
        """`python -c "import secrets; print(secrets.token_urlsafe(50))"`"""
    )
if not ALLOWED_HOSTS:
    missing.append(
        "DOMAIN_NAME: the site's host name, such as live.example.org "
        "(or ALLOWED_HOSTS, when there are several, separated by commas)"
    )
if missing:
    raise ImproperlyConfigured(
        "The site cannot start, because these variables are missing from the environment and "
        "from .env:\n- " + "\n- ".join(missing) + "\nFor development, DEBUG=1 does without them."
    )

# What the site is made of

INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "axes",
    "accounts",
    "liveops",
    "operations",
    *globals().get("API_APPS", []),
]
MIDDLEWARE = [
    "config.middleware.BrowserHeadersMiddleware",
    "config.metrics.MetricsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.errors.DatabaseBusyMiddleware",
    "accounts.lockout.LockoutMiddleware",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context.site",
            ],
        },
    },
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LIVEOPS = {
    "REQUIRED_GROUP": os.environ.get("LIVEOPS_REQUIRED_GROUP", ""),
    "ALLOWED_ORIGINS": tuple(env.list("LIVEOPS_ALLOWED_ORIGINS", default=[])),
    "ALIVE_FILE": file_to_touch("ALIVE_FILE"),
    "METRICS_ADDRESS": listening_address("WORKER_METRICS"),
    "MAX_UPLOAD": 1024 * 1024 * whole_number("LIVEOPS_MAX_UPLOAD_MB", 50, least=1, most=100_000),
}

# Who brings this token sees the metrics; without it nobody does.
METRICS_TOKEN = secret("METRICS_TOKEN", least=32)
# The children of a worker count into files there, and their parent serves the sums.
METRICS_FOLDER = folder_to_write("PROMETHEUS_MULTIPROC_DIR")
if LIVEOPS["METRICS_ADDRESS"] and not METRICS_FOLDER:
    raise ImproperlyConfigured(
        f"WORKER_METRICS is {LIVEOPS['METRICS_ADDRESS']!r}, and PROMETHEUS_MULTIPROC_DIR is not "
        "set. Set it to a folder for passing files, which each worker has for itself."
    )

# Database: the record of everything

DATABASES: dict[str, dict[str, Any]] = {
    "default": (
        env.db_url("DATABASE_URL")
        if env.str("DATABASE_URL", default="")
        else {"ENGINE": "django.db.backends.sqlite3", "NAME": VAR_DIR / "db.sqlite3"}
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # Readers never wait for the writer; a writer waits its turn, from BEGIN on.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
        "transaction_mode": "IMMEDIATE",
        "timeout": 10,
    }
# PgBouncer gives each transaction another session: no cursor of the server outlives one, and what
# `liveops/locks.py` asks for holds within one.
DATABASE_POOLED = one_of("DATABASE_POOLED", ("0", "1"), default="0") == "1"
if DATABASE_POOLED and "postgresql" not in DATABASES["default"]["ENGINE"]:
    raise ImproperlyConfigured(
        "DATABASE_POOLED is 1, and DATABASE_URL is no address of PostgreSQL. Set it to the one of "
        "PgBouncer, such as postgres://user:password@pgbouncer:6432/name, or leave DATABASE_POOLED "
        "out."
    )
DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = DATABASE_POOLED
# Under ASGI every request has a thread of its own, with which a kept connection would leak.
DATABASES["default"]["CONN_MAX_AGE"] = 0

# Redis: cache and channel layer, which may forget everything at any moment

REDIS_URL = env.str("REDIS_URL", default="") or "redis://127.0.0.1:6379/0"
SENTINELS = Sentinels.from_environment()
REDIS = RedisServer("REDIS_URL", REDIS_URL, SENTINELS)
CACHES = {"default": REDIS.for_cache()}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS.for_channel_layer()]},
    }
}

# Celery

CELERY_BROKER_URL, broker_options, CELERY_BROKER_USE_SSL = broker(
    env.str("BROKER_URL", default="") or REDIS_URL, SENTINELS
)
# `celery` takes BROKER_URL for its option --broker, which would count instead of the line above.
CELERY_BROKER_READ_URL = CELERY_BROKER_WRITE_URL = CELERY_BROKER_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, **broker_options}
# A click does not wait for a broker that is away: the sweep sends the message again.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.2}
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
# The claim decides who runs an attempt, so a message is done with as soon as it is received.
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Nor does a message wait behind a run while another worker is free. Only for Redis.
CELERY_WORKER_DISABLE_PREFETCH = bool(broker_options)
# Operations may run for hours: no CELERY_TASK_TIME_LIMIT.
# With REMAP_SIGTERM=SIGQUIT in the environment, a worker that is told to end gives its runs so many
# seconds. Those that are not done by then are handed back: started again elsewhere where the kind
# has `retry_when_lost`, else offered for a retry.
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = env.float("WORKER_DRAIN_SECONDS", default=30.0)
CELERY_WORKER_CONSUMER = "liveops.listener:Listener"
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "liveops.sweep", "schedule": 10.0, "options": {"expires": 10.0}},
    "purge": {"task": "liveops.purge", "schedule": 3600.0, "options": {"expires": 3600.0}},
    "forget": {"task": "accounts.forget", "schedule": 3600.0, "options": {"expires": 3600.0}},
    **globals().get("API_BEAT_SCHEDULE", {}),
}

# Accounts

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "liveops:catalogue"
LOGOUT_REDIRECT_URL = "login"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# After so many failures to sign in with one name from one address, this pair has to wait. They are
# counted in the database, because Redis may forget.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AXES_FAILURE_LIMIT = whole_number("SIGN_IN_FAILURES", 5, least=1, most=1000)
AXES_COOLOFF_TIME = timedelta(
    minutes=whole_number("SIGN_IN_PAUSE_MINUTES", 15, least=1, most=7 * 24 * 60)
)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "accounts.sign_in.name_digest"
AXES_CLIENT_IP_CALLABLE = "accounts.sign_in.ip_address"
SILENCED_SYSTEM_CHECKS = ["axes.W002"]  # LockoutMiddleware does what axes' own would
AXES_RESET_ON_SUCCESS = True
# Trying on does not make the wait longer, so nobody can keep somebody else out for ever.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
# The audit log says who signed in; what was typed is nobody's business.
AXES_SENSITIVE_PARAMETERS = ["username", "password", "csrfmiddlewaretoken", "next"]
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# Files. Nothing serves MEDIA_ROOT, and no object of MEDIA_BUCKET is public: downloads go through a
# view that asks who is asking.

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = BASE_DIR / (os.environ.get("MEDIA_ROOT") or VAR_DIR / "media")
MEDIA_URL = ""
FILE_UPLOAD_PERMISSIONS = 0o640
# Pages of other sites have no business with our files.
WHITENOISE_ALLOW_ALL_ORIGINS = False
STORAGES = {
    "default": media.storage(),
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEBUG
            else "config.storage.HashedStaticFilesStorage"
        )
    },
}

# What browsers are told, and https everywhere outside development

HTTPS = env.bool("HTTPS", default=not DEBUG)
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
# Browsers take a cookie of such a name from this host alone, never from a subdomain or over http.
COOKIE_PREFIX = "__Host-" if HTTPS else ""
SESSION_ENGINE = "liveops.sessions"
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid"
SESSION_COOKIE_AGE = 3600 * whole_number("SESSION_HOURS", 12, least=1, most=24 * 365)
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrftoken"
CSRF_COOKIE_SECURE = HTTPS
# Scripts take the token from the page.
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
# Only where a proxy sets this header on every request; elsewhere anyone could claim https.
if env.bool("BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Else messages would come and go in a third cookie, without the prefix.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
X_FRAME_OPTIONS = "DENY"
BROWSER_HEADERS = browser_policy.headers(https=HTTPS)
SECURE_REFERRER_POLICY = BROWSER_HEADERS["Referrer-Policy"]
CONTENT_SECURITY_POLICY = browser_policy.content_security_policy(https=HTTPS)

# Logging: lines for people, or JSON for machines. `manage.py` writes lines.

LOG_FORMAT = one_of("LOG_FORMAT", ("json", "line"), default="line" if DEBUG else "json")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "class": "config.logs.OneEventAtATime",
            "format": "{asctime} {levelname:<7} {name}: {message}",
            "style": "{",
        },
        "json": {"class": "config.logs.EventAsJson"},
    },
    "filters": {
        "redis_away": {"()": "config.logs.RedisAwayInOneLine"},
        "run": {"()": "liveops.run_context.NoteRun"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            "filters": ["run"],
        }
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        # Django's own handlers would say everything twice.
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        "channels_redis.pubsub": {"filters": ["redis_away"]},
        # The audit log has a line for each failure already.
        "axes": {"level": "ERROR"},
        # Of each request to a bucket it would log the signature.
        "botocore": {"level": "WARNING"},
        # A line for every sweep, every ten seconds, would bury the rest.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
    },
}

# Elsewhere: errors go to Sentry where SENTRY_DSN is set, traces to a collector where
# OTEL_EXPORTER_OTLP_ENDPOINT is. Both without anything of what people wrote.

telemetry.start_sentry()
TRACES = telemetry.check_traces(SITE_NAME)
