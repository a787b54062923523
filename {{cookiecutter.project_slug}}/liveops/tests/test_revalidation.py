"""Rights that are lost while a socket is open."""

import pytest
from channels.layers import channel_layers
from django.contrib.auth.models import Group

from liveops.models import LiveOperation
from liveops.tests.make import make_operation
from liveops.tests.socket_client import Page, in_database, tell


@pytest.fixture
def operation(ann):
    return make_operation(ann.user)


async def test_a_deletion_that_is_announced_closes_at_once(ann, operation):
    async with Page(ann) as page:
        await page.subscribe(ann.token(operation))
        await LiveOperation.objects.all().adelete()
        await tell(operation, type="liveop.changed")
        assert await page.close_code() == 4404


async def test_who_left_gets_nothing_more(ann, operation):
    async with Page(ann) as page:
        await page.subscribe(ann.token(operation))
    assert operation.get_channel_name() not in channel_layers.backends["default"].groups


class TestAskedAgain:
    """Nobody says so: the server asks again."""

    @pytest.fixture(autouse=True)
    def ask_often(self, settings):
        settings.LIVEOPS = {"HEARTBEAT_EVERY": 0.05, "REVALIDATE_EVERY": 0.05}

    async def test_logout(self, ann, operation):
        async with Page(ann) as page:
            await page.subscribe(ann.token(operation))
            await in_database(ann.client.logout)()
            assert await page.close_code() == 4401

    async def test_password_change(self, ann, operation):
        async with Page(ann) as page:
            await page.subscribe(ann.token(operation))
            ann.user.set_password("new")
            await in_database(ann.user.save)()
            assert await page.close_code() == 4401

    async def test_removal_from_the_group(self, ann, operation, settings):
        settings.LIVEOPS = {**settings.LIVEOPS, "REQUIRED_GROUP": "staff"}
        group = await Group.objects.acreate(name="staff")
        await ann.user.groups.aadd(group)
        async with Page(ann) as page:
            await page.subscribe(ann.token(operation))
            await ann.user.groups.aremove(group)
            assert await page.close_code() == 4403

    async def test_deletion(self, ann, operation):
        async with Page(ann) as page:
            await page.subscribe(ann.token(operation))
            await LiveOperation.objects.all().adelete()
            assert await page.close_code() == 4404

    async def test_who_may_go_on_stays(self, ann, operation):
        async with Page(ann) as page:
            await page.subscribe(ann.token(operation))
            assert (await page.hear())["type"] == "snapshot"
            for _ in range(4):
                assert (await page.hear())["type"] == "heartbeat"
