"""Credentials are for their owners: the libraries would show them to staff."""

from django.contrib import admin
from rest_framework.authtoken.models import Token, TokenProxy
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

admin.site.unregister([TokenProxy, BlacklistedToken, OutstandingToken])


def without_its_key(token: Token) -> str:
    return f"of {token.user}"


# The page that asks whether to delete a user names everything that would go along.
Token.__str__ = without_its_key
