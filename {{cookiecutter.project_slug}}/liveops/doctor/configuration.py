"""Settings and secrets."""

from django.conf import settings
from django.core import checks

from liveops.doctor.diagnosis import Check, Wrong
from liveops.doctor.masking import passwords

SHORTEST_KEY = 50
FEWEST_CHARACTERS = 5
KEYS_FOR_DEVELOPMENT = ("django-insecure-", "development-only-")
EXAMPLES = {"password", "changeme", "change-me", "secret", "example", "postgres", "redis", "admin"}


def check_settings() -> str:
    errors = [message for message in checks.run_checks() if message.level >= checks.ERROR]
    # Django runs them in no order.
    errors.sort(key=lambda error: str(error.id))
    if errors:
        first = errors[0]
        more = f" (and {len(errors) - 1} more)" if errors[1:] else ""
        raise Wrong(f"{first.msg}{more}", str(first.hint or ""))
    return "the system checks find no error"


def check_secrets() -> str:
    if settings.DEBUG:
        return "DEBUG is on, so a key for development will do"
    key = settings.SECRET_KEY
    if key.startswith(KEYS_FOR_DEVELOPMENT) or key.lower() in EXAMPLES:
        raise Wrong("SECRET_KEY is one for development")
    if len(key) < SHORTEST_KEY or len(set(key)) < FEWEST_CHARACTERS:
        raise Wrong(f"SECRET_KEY has {len(key)} characters, {len(set(key))} different ones")
    for name in ("DATABASES", "CACHES", "CHANNEL_LAYERS", "CELERY_BROKER_URL"):
        if any(each.lower() in EXAMPLES for each in passwords(getattr(settings, name, None))):
            raise Wrong(
                f"a password in {name} is one that everybody tries first",
                "Choose another one where the service runs, and write it into the site's "
                "environment or .env.",
            )
    return "the key is long, and no password is an example's"


CHECKS = (
    Check(
        name="Settings",
        examine=check_settings,
        mend="Run `python manage.py check`, and correct what it names.",
    ),
    Check(
        name="Secrets",
        examine=check_secrets,
        mend="Set SECRET_KEY in the environment or .env to a new secret: "
        '`python -c "import secrets; print(secrets.token_urlsafe(50))"`; '
        "put the old one into SECRET_KEY_FALLBACKS.",
    ),
)
