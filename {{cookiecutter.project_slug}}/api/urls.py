"""Addresses of the API, below the one where the site mounts it."""

from django.urls import path, re_path

from api.views import description, logs, operations, sign_in, starting, subscribing

app_name = "api"

OPERATION = "operations/<uuid:pk>/"

urlpatterns = [
    path("kinds/", starting.KindsView.as_view(), name="kinds"),
    path("kinds/<str:kind>/operations/", starting.StartView.as_view(), name="start"),
    path("operations/", operations.OperationsView.as_view(), name="operations"),
    path(OPERATION, operations.OperationView.as_view(), name="operation"),
    path(f"{OPERATION}cancel/", operations.CancelView.as_view(), name="cancel"),
    path(f"{OPERATION}retry/", operations.RetryView.as_view(), name="retry"),
    path(f"{OPERATION}log/", logs.LogView.as_view(), name="log"),
    path(f"{OPERATION}log.txt", logs.LogTextView.as_view(), name="log_text"),
    path(f"{OPERATION}files/<str:field>/", logs.FileView.as_view(), name="file"),
    path(
        f"{OPERATION}subscription-token/",
        subscribing.SubscriptionTokenView.as_view(),
        name="subscription_token",
    ),
    path("auth/token/", sign_in.TokenView.as_view(), name="token"),
    path("auth/jwt/", sign_in.JWTView.as_view(), name="jwt"),
    path("auth/jwt/refresh/", sign_in.JWTRefreshView.as_view(), name="jwt_refresh"),
    path("schema/", description.SchemaView.as_view(), name="schema"),
    path("docs/", description.DocsView.as_view(), name="docs"),
    re_path("", description.NothingHereView.as_view(), name="nothing_here"),
]
