"""The settings of the engine."""

import pytest

from liveops.conf import conf


def test_a_default_is_used_until_the_site_says_otherwise(settings):
    settings.LIVEOPS = {}
    assert (conf.TOKEN_TTL, conf.REQUIRED_GROUP) == (300, "")
    settings.LIVEOPS = {"TOKEN_TTL": 60}
    assert (conf.TOKEN_TTL, conf.REQUIRED_GROUP) == (60, "")


def test_a_site_may_say_nothing_at_all(settings):
    del settings.LIVEOPS
    assert conf.LOST_AFTER == 30


def test_a_name_that_is_no_setting(settings):
    settings.LIVEOPS = {"TYPO": 1}
    with pytest.raises(AttributeError, match="TYPO"):
        conf.TYPO  # noqa: B018
