"""Staff cannot read other people's credentials."""

from typing import Any

from django.contrib import admin
from django.test import Client
from rest_framework.authtoken.models import Token

from api.jwt import RefreshToken
from liveops.tests.make import make_user


def test_no_page_of_the_admin_shows_a_credential(ann: Any) -> None:
    key, refresh = Token.objects.create(user=ann).key, str(RefreshToken.for_user(ann))
    browser = Client()
    browser.force_login(make_user("root", is_staff=True, is_superuser=True))
    pages = [f"/admin/accounts/user/{ann.pk}/{page}/" for page in ("change", "history", "delete")]
    for page in ["/admin/", *pages]:
        text = browser.get(page).content.decode()
        assert key not in text, page
        assert refresh not in text, page
    names = {model.__name__ for model in admin.site._registry}
    assert not names & {"Token", "TokenProxy", "OutstandingToken", "BlacklistedToken"}
