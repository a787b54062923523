"""What the environment can do to the settings, seen from outside, in a process of its own."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.processes import PYTHON, SITE

# Set and empty, so that a `.env` beside the site changes nothing here.
BARE = {
    "DEBUG": "0",
    "SECRET_KEY": "",
    "DOMAIN_NAME": "",
    "ALLOWED_HOSTS": "",
    "DATABASE_URL": "",
    "DATABASE_POOLED": "",
    "REDIS_URL": "",
    "REDIS_SENTINELS": "",
    "BROKER_URL": "",
    "MEDIA_BUCKET": "",
    "LIVEOPS_REQUIRED_GROUP": "",
    "LIVEOPS_ALLOWED_ORIGINS": "",
    "SITE_NAME": "",
}
PRODUCTION = {
    **BARE,
    "SECRET_KEY": "kTz4_only-for-this-test_vE8wq2LrYb6Hn0Xc5Ps9Dm3Ga7Ju1",
    "DOMAIN_NAME": "live.example.org",
}


def manage(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PYTHON, "manage.py", *arguments],
        cwd=SITE,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            **env,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def setting(name: str, **env: str) -> str:
    code = f"from django.conf import settings; print(settings.{name})"
    done = manage("shell", "-v0", "-c", code, **env)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_production_names_all_that_is_missing_at_once() -> None:
    done = manage("check", **BARE)
    assert done.returncode != 0
    assert "- SECRET_KEY: " in done.stderr
    assert "secrets.token_urlsafe" in done.stderr
    assert "- DOMAIN_NAME: " in done.stderr


def test_production_names_only_what_is_missing() -> None:
    done = manage("check", **{**PRODUCTION, "SECRET_KEY": ""})
    assert "- SECRET_KEY: " in done.stderr
    assert "- DOMAIN_NAME: " not in done.stderr


def test_production_settings_pass_the_deployment_check() -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert done.returncode == 0, done.stderr


def test_development_needs_no_variable_but_debug() -> None:
    done = manage("check", **{**BARE, "DEBUG": "1"})
    assert done.returncode == 0, done.stderr


def test_a_developers_key_never_reaches_production() -> None:
    assert setting("SECRET_KEY", **{**BARE, "DEBUG": "1"}).startswith("development-only-")
    assert setting("SECRET_KEY", **PRODUCTION) == PRODUCTION["SECRET_KEY"]


@pytest.mark.parametrize("name", ["$HOME & Söhne", 'O\'Neill "Live" <b>', "走る 🚀"])
def test_the_name_of_the_site_is_taken_as_it_is(name: str) -> None:
    assert setting("SITE_NAME", **{**PRODUCTION, "SITE_NAME": name}) == name


def test_a_proxy_is_believed_only_when_there_is_one() -> None:
    header = "SECURE_PROXY_SSL_HEADER"
    assert setting(header, **PRODUCTION) == "None"
    assert "X_FORWARDED_PROTO" in setting(header, **PRODUCTION, BEHIND_PROXY="1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SIGN_IN_FAILURES", "0"),
        ("SIGN_IN_PAUSE_MINUTES", "soon"),
        ("SESSION_HOURS", "-1"),
        ("LIVEOPS_MAX_UPLOAD_MB", "50 MB"),
        ("ADMIN_PATH", "/"),
        ("ADMIN_PATH", "operations/"),
        ("ADMIN_PATH", "readyz"),
        ("ADMIN_PATH", "metrics/"),
        ("LOG_FORMAT", "xml"),
        ("ALIVE_FILE", "/no/such/folder/alive"),
        ("WORKER_METRICS", "9100"),
        ("WORKER_METRICS", "0.0.0.0:port"),
        ("WORKER_METRICS", "0.0.0.0:9100"),  # without PROMETHEUS_MULTIPROC_DIR
        ("PROMETHEUS_MULTIPROC_DIR", "/dev/null/metrics"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("MEDIA_BUCKET", "s3://site-media"),
        ("DATABASE_POOLED", "yes"),
        ("MEDIA_BUCKET", "Site_Media"),
    ],
)
def test_a_value_that_cannot_work_stops_the_start(name: str, value: str) -> None:
    done = manage("check", **{**PRODUCTION, name: value})
    assert done.returncode != 0
    assert f"{name} is {value!r}" in done.stderr


def test_passwords_are_kept_with_argon2() -> None:
    assert setting("PASSWORD_HASHERS[0]", **PRODUCTION).endswith(".Argon2PasswordHasher")


def test_sqlite_waits_for_the_writer_from_the_start() -> None:
    options = setting("DATABASES['default']['OPTIONS']", **PRODUCTION)
    assert "IMMEDIATE" in options
    assert "journal_mode=WAL" in options


def test_postgresql_comes_from_the_url() -> None:
    url = "postgres://u:p@db.example.org:5433/site"
    code = "DATABASES['default']"
    database = setting(code, **{**PRODUCTION, "DATABASE_URL": url})
    assert "django.db.backends.postgresql" in database
    assert "init_command" not in database


def test_a_pool_needs_postgresql() -> None:
    done = manage("check", **{**PRODUCTION, "DATABASE_POOLED": "1"})
    assert done.returncode != 0
    assert "DATABASE_POOLED is 1, and DATABASE_URL is no address of PostgreSQL" in done.stderr


def test_a_short_token_stops_the_start_and_is_not_shown() -> None:
    done = manage("check", **{**PRODUCTION, "METRICS_TOKEN": "too-short-a-secret"})
    assert done.returncode != 0
    assert "METRICS_TOKEN has 18 characters" in done.stderr
    assert "too-short-a-secret" not in done.stderr


def test_an_address_that_is_none_of_sentrys_stops_the_start_and_is_not_shown() -> None:
    done = manage("check", **{**PRODUCTION, "SENTRY_DSN": "https://secret.example.org"})
    assert done.returncode != 0
    assert "SENTRY_DSN is no address such as" in done.stderr
    assert "secret.example.org" not in done.stderr.rpartition("ImproperlyConfigured")[2]


@pytest.mark.parametrize(
    ("name", "value", "package"),
    [
        ("SENTRY_DSN", "https://key@sentry.example.org/1", "sentry_sdk"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318", "opentelemetry"),
        ("MEDIA_BUCKET", "site-media", "storages"),
    ],
)
def test_a_variable_without_its_package_stops_the_start(
    tmp_path: Path, name: str, value: str, package: str
) -> None:
    """As where base.txt is installed: a Python that finds no such package."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.partition('.')[0] == {package!r}:\n"
        "            raise ModuleNotFoundError(name=name)\n"
        "sys.meta_path.insert(0, Missing())\n"
    )
    assert manage("check", **PRODUCTION, PYTHONPATH=str(tmp_path)).returncode == 0
    done = manage("check", **{**PRODUCTION, name: value}, PYTHONPATH=str(tmp_path))
    assert done.returncode != 0
    assert f"{name} is set, and the package {package}" in done.stderr
    assert "requirements/production.txt" in done.stderr


def test_nothing_is_imported_that_nobody_asked_for() -> None:
    """redis-py imports OpenTelemetry's SDK by itself, where it is installed; we do not."""
    ours = ("sentry_sdk", "opentelemetry.exporter", "opentelemetry.instrumentation", "boto3")
    loaded = f"[name for name in {ours} if name in __import__('sys').modules]"
    assert setting(f"DEBUG, {loaded}", **PRODUCTION) == "False []"


def test_the_log_is_json_in_production_and_lines_for_people() -> None:
    # `manage.py` is for people.
    assert setting("LOG_FORMAT", **PRODUCTION) == "line"
    assert setting("LOG_FORMAT", **{**PRODUCTION, "LOG_FORMAT": ""}) == "json"
    assert setting("LOG_FORMAT", **{**BARE, "DEBUG": "1", "LOG_FORMAT": ""}) == "line"
    assert setting("LOG_FORMAT", **{**PRODUCTION, "LOG_FORMAT": "json"}) == "json"


def test_a_folder_for_metrics_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    env = {"WORKER_METRICS": "[::]:9100", "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    assert setting("LIVEOPS['METRICS_ADDRESS']", **PRODUCTION, **env) == "[::]:9100"
    assert folder.is_dir()
