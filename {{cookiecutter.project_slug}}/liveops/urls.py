"""Addresses of live operations; mounted once, they serve every kind."""

from django.urls import path

from liveops import views

app_name = "liveops"

urlpatterns = [
    path("", views.CatalogueView.as_view(), name="catalogue"),
    path("operations/", views.LiveOperationListView.as_view(), name="list"),
    path("start/<str:kind>/", views.CreateLiveOperationView.as_view(), name="start"),
    path("operations/<uuid:pk>/", views.LiveOperationView.as_view(), name="live"),
    path("operations/<uuid:pk>/cancel/", views.CancelView.as_view(), name="cancel"),
    path("operations/<uuid:pk>/restart/", views.RestartView.as_view(), name="restart"),
    path("operations/<uuid:pk>/token/", views.TokenView.as_view(), name="token"),
    path("operations/<uuid:pk>/snapshot/", views.SnapshotView.as_view(), name="snapshot"),
    path("operations/<uuid:pk>/log/", views.LogView.as_view(), name="log"),
    path("operations/<uuid:pk>/log.txt", views.LogTextView.as_view(), name="log_text"),
    path("operations/<uuid:pk>/files/<str:field>/", views.FileView.as_view(), name="file"),
]
