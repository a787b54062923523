"""The pages of live operations, what their buttons do, and what their code asks for."""

from liveops.views.access import BaseLiveOperationMixin
from liveops.views.actions import CancelView, RestartView
from liveops.views.logs import FileView, LogTextView, LogView
from liveops.views.pages import (
    CatalogueView,
    CreateLiveOperationView,
    LiveOperationListView,
    LiveOperationView,
)
from liveops.views.script import SnapshotView, TokenView

__all__ = [
    "BaseLiveOperationMixin",
    "CancelView",
    "CatalogueView",
    "CreateLiveOperationView",
    "FileView",
    "LiveOperationListView",
    "LiveOperationView",
    "LogTextView",
    "LogView",
    "RestartView",
    "SnapshotView",
    "TokenView",
]
