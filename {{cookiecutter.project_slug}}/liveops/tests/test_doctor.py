"""How the doctor examines: it never hangs, breaks or tells a secret, whatever it meets."""

import time
from types import SimpleNamespace

import pytest
from celery import current_app
from django.core.management import call_command
from django.test import override_settings

from liveops import hints, pulse
from liveops.doctor import configuration, files, messages, processes
from liveops.doctor.clocks import compare
from liveops.doctor.diagnosis import Check, Doubtful, Verdict, Wrong, examine_all
from liveops.doctor.masking import passwords, scrub
from liveops.tasks import sweep

GOOD_KEY = "0123456789abcdefghijklmnopqrstuvwxyz-0123456789-abcdefghijkl"


def check(name="A", examine=lambda: "fine", **options):
    return Check(name=name, examine=examine, mend="mend it", **options)


def examine(*checks):
    return [(each.verdict, each.what, each.mend) for each in examine_all(checks)]


def fail(error):
    def examine():
        raise error

    return examine


class TestExamination:
    def test_what_is_well_needs_no_advice(self):
        assert examine(check()) == [(Verdict.OK, "fine", "")]

    @pytest.mark.parametrize(
        ("error", "what"),
        [
            (Wrong("it is\n  broken"), "it is broken"),
            (RuntimeError("unforeseen"), "unforeseen"),
            (TimeoutError(), "TimeoutError"),
        ],
    )
    def test_what_is_raised_is_what_is_wrong(self, error, what):
        found = examine(check(examine=fail(error), where=lambda: "there"))
        assert found == [(Verdict.WRONG, f"there: {what}", "mend it")]

    def test_a_check_may_know_better_advice(self):
        found = examine(check(examine=fail(Doubtful("slow", "do this"))))
        assert found == [(Verdict.WARNING, "slow", "do this")]

    def test_an_address_that_cannot_be_told_is_wrong_too(self):
        assert examine(check(where=fail(KeyError("default"))))[0][0] is Verdict.WRONG

    def test_one_that_hangs_is_left_behind(self):
        began = time.monotonic()
        found = examine(check(examine=lambda: time.sleep(30), within=0.1), check("B"))
        assert time.monotonic() - began < 5
        assert found[0] == (Verdict.WRONG, "no answer within 0.1 s", "mend it")
        assert found[1][0] is Verdict.OK

    def test_one_that_needs_a_failed_one_is_not_carried_out(self):
        broken = check("Broker", fail(Wrong("away")))
        worker = check("Worker", pytest.fail, needs=("Broker", "Other"))
        sweeps = check("Sweeps", pytest.fail, needs=("Worker",))
        found = examine(broken, worker, sweeps, check("Media"))
        assert [each[0] for each in found] == ["wrong", "unknown", "unknown", "ok"]
        assert found[1][1] == "cannot be told until this is mended: Broker"

    def test_a_warning_stands_in_nobodys_way(self):
        found = examine(check("A", fail(Doubtful("slow"))), check("B", needs=("A",)))
        assert [each[0] for each in found] == ["warning", "ok"]


class TestMasking:
    @override_settings(
        SECRET_KEY="the-key",
        SECRET_KEY_FALLBACKS=["the-key-before"],
        DATABASES={"default": {"PASSWORD": "db-pass", "OPTIONS": {"sslpassword": "ssl-pass"}}},
        CHANNEL_LAYERS={"default": {"CONFIG": {"hosts": ["redis://:lay%2Fer@h/0"]}}},
        CELERY_BROKER_URL="redis://h/0?password=query-pass",
    )
    # Django warns whoever overrides DATABASES; here only `scrub` looks at it.
    @pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
    def test_no_secret_of_the_settings_is_left(self):
        said = "the-key the-key-before db-pass ssl-pass lay/er lay%2Fer query-pass h"
        assert scrub(said) == " ".join(["***"] * 7) + " h"

    def test_an_address_from_elsewhere_loses_its_password_too(self):
        text = "cannot reach amqp://ann:pa:ss@h:5672/x, nor redis://h/0"
        assert scrub(text) == "cannot reach amqp://ann:***@h:5672/x, nor redis://h/0"

    def test_what_has_no_password_has_none(self):
        assert not list(passwords({"HOST": "h", "PASSWORD": "", "urls": ["redis://h/0", "x"]}))


class TestSettings:
    def test_good_ones(self):
        with override_settings(DEBUG=True):
            configuration.check_settings()

    @override_settings(LIVEOPS={"TOKEN_TTL": "soon", "ZZZ": 1}, DEBUG=True)
    def test_what_a_system_check_finds_is_said_with_its_advice(self):
        with pytest.raises(Wrong, match=r"LIVEOPS has no setting 'ZZZ'\. \(and 1 more\)") as found:
            configuration.check_settings()
        assert "Legal are: " in found.value.mend


class TestSecrets:
    @pytest.mark.parametrize(
        ("key", "what"),
        [
            ("django-insecure-" + GOOD_KEY, "one for development"),
            ("development-only-" + GOOD_KEY, "one for development"),
            ("changeme", "one for development"),
            ("short", "has 5 characters"),
            ("ab" * 40, "2 different ones"),
        ],
    )
    def test_a_key_that_others_may_know(self, key, what):
        with override_settings(SECRET_KEY=key), pytest.raises(Wrong, match=what):
            configuration.check_secrets()

    @override_settings(SECRET_KEY=GOOD_KEY, CELERY_BROKER_URL="redis://:changeme@h/0")
    def test_a_password_that_everybody_tries_first(self):
        with pytest.raises(Wrong, match="a password in CELERY_BROKER_URL"):
            configuration.check_secrets()

    def test_good_ones(self):
        with override_settings(SECRET_KEY=GOOD_KEY):
            configuration.check_secrets()
        with override_settings(SECRET_KEY="short", DEBUG=True):
            configuration.check_secrets()


def test_a_cache_that_no_other_process_shares():
    with pytest.raises(Wrong, match="another process does not see what this one stored"):
        messages.check_cache()


def test_a_channel_layer_that_no_other_process_shares(monkeypatch):
    monkeypatch.setattr(messages, "BACK_WITHIN", 0.2)
    with pytest.raises(Wrong, match="what another process sent did not arrive here"):
        messages.check_layer()


def test_a_second_process_that_fails_says_why(monkeypatch):
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "no_such_settings")
    with pytest.raises(Wrong, match=r"a second process failed: .*no_such_settings"):
        messages.check_cache()


def test_static_files_that_were_added_after_they_were_collected(tmp_path):
    hashed = {"staticfiles": {"BACKEND": "config.storage.HashedStaticFilesStorage"}}
    late = tmp_path / "late"
    late.mkdir()
    with override_settings(
        STORAGES={**files.settings.STORAGES, **hashed},
        STATIC_ROOT=tmp_path / "static",
        STATICFILES_DIRS=[*files.settings.STATICFILES_DIRS, ("late", late)],
    ):
        with pytest.raises(Wrong, match=r"there is no staticfiles\.json"):
            files.check_static()
        call_command("collectstatic", "--noinput", "-v0")
        files.check_static()
        (late / "new.css").write_text("")
        with pytest.raises(Wrong, match=r"not collected: late/new\.css$"):
            files.check_static()
        (late / "new.css").unlink()
        next((tmp_path / "static" / "liveops").glob("liveops.*.css")).unlink()
        with pytest.raises(Wrong, match=r"not there, such as liveops/liveops\."):
            files.check_static()


@pytest.mark.parametrize(("ahead", "words"), [(3, "3.0 s ahead of"), (-3, "3.0 s behind")])
def test_clocks_that_differ(ahead, words):
    with pytest.raises(Wrong, match=words):
        compare(lambda: time.time() + ahead)


def test_clocks_that_agree():
    assert compare(time.time) == "it differs from this host's by 0.00 s"


class TestSignsOfLife:
    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch):
        monkeypatch.setattr(processes, "sweep_every", lambda: 0.5)

    @pytest.mark.django_db
    def test_a_sweep_that_ran(self):
        sweep()
        assert processes.check_sweeps() == "a worker ran one 0 s ago"

    def test_beat_that_sent_one(self):
        pulse.note_that_beat_sent_a_sweep()
        assert processes.check_beat() == "it sent a sweep 0 s ago"

    def test_only_the_scheduler_shows_the_schedulers_sign_of_life(self):
        hints.shared_cache().clear()
        current_app.send_task("liveops.sweep")
        assert hints.last_time("beat") is None

    def test_none_yet(self):
        hints.shared_cache().clear()
        with pytest.raises(Wrong, match="it sent no sweep as far as is known"):
            processes.check_beat()

    def test_one_from_the_future(self):
        hints.shared_cache().set("liveops:time:beat", time.time() + 60)
        with pytest.raises(Wrong, match="in 60 s from now: the clock of its host is ahead"):
            processes.check_beat()


@pytest.mark.parametrize(
    ("schedule", "seconds"),
    [({}, 10), ({"s": {"task": "liveops.sweep", "schedule": 20.0}}, 20)],
)
def test_how_often_a_sweep_is_due(monkeypatch, schedule, seconds):
    monkeypatch.setitem(current_app.conf, "beat_schedule", schedule)
    assert processes.sweep_every() == seconds


def test_the_queue_is_the_one_that_the_tasks_are_routed_to(monkeypatch):
    replies = {"worker@one": [{"name": "celery"}, {"name": "heavy"}]}
    inspect = SimpleNamespace(active_queues=lambda: replies)
    monkeypatch.setattr(current_app.control, "inspect", lambda timeout: inspect)
    assert processes.check_workers() == "worker@one takes messages from celery, heavy"
    replies["worker@one"] = [{"name": "celery"}]
    with pytest.raises(Wrong, match=r"from heavy, only from celery; .*: kinds\.heavy"):
        processes.check_workers()
    replies["worker@one"] = [{"name": "mail"}]
    with pytest.raises(Wrong, match="messages from celery, heavy, only from mail"):
        processes.check_workers()
    replies.clear()
    with pytest.raises(Wrong, match="none answered"):
        processes.check_workers()
