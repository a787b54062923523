"""What the API adds to the site's settings, which take over every name here."""

from datetime import timedelta
from typing import Any

from config.variables import env

__all__ = ["API_APPS", "API_BEAT_SCHEDULE", "REST_FRAMEWORK", "SIMPLE_JWT", "SPECTACULAR_SETTINGS"]

API_APPS = [
    "rest_framework",
    "rest_framework.authtoken",
    "rest_framework_simplejwt.token_blacklist",
    "drf_spectacular",
    "api",
]

API_BEAT_SCHEDULE = {
    "api-forget": {"task": "api.forget", "schedule": 3600.0, "options": {"expires": 3600.0}},
}

REST_FRAMEWORK: dict[str, Any] = {
    # The first one says in `WWW-Authenticate` how to sign in.
    "DEFAULT_AUTHENTICATION_CLASSES": (
        "rest_framework_simplejwt.authentication.JWTAuthentication",
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ),
    "DEFAULT_PERMISSION_CLASSES": ("api.permissions.AsThePolicySays",),
    "DEFAULT_PARSER_CLASSES": ("api.media.StrictJSONParser",),
    "DEFAULT_RENDERER_CLASSES": ("rest_framework.renderers.JSONRenderer",),
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "api.media.JSONForEveryone",
    "DEFAULT_THROTTLE_CLASSES": ("api.throttles.PerUser", "api.throttles.PerAddress"),
    "DEFAULT_THROTTLE_RATES": {
        # Requests of somebody who is signed in, of an address that is not, and attempts to sign in
        # from an address.
        "user": env.str("API_USER_RATE", default="") or "600/min",
        "anon": env.str("API_ANON_RATE", default="") or "60/min",
        "sign_in": env.str("API_SIGN_IN_RATE", default="") or "20/min",
    },
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "api.errors.answer",
    "URL_FORMAT_OVERRIDE": None,
}

# Signed with keys made from SECRET_KEY and SECRET_KEY_FALLBACKS, see `api.jwt`.
SIMPLE_JWT: dict[str, Any] = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=1),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    # A changed password ends every token that was issued before.
    "CHECK_REVOKE_TOKEN": True,
    "AUTH_TOKEN_CLASSES": ("api.jwt.AccessToken",),
}

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Live operations",
    "DESCRIPTION": "Start live operations, watch them and fetch what they made.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SORT_OPERATIONS": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENFORCE_NON_BLANK_FIELDS": True,
    "DISABLE_DOCSTRING_DESCRIPTIONS": True,
    "ENUM_NAME_OVERRIDES": {"State": "liveops.models.State"},
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "api.openapi.describe_each_kind",
    ],
}
