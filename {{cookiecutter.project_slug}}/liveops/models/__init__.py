"""The record: what an operation is, what it reported, and what was done to it."""

from liveops.models.event import OperationEvent
from liveops.models.files import discard_file
from liveops.models.kind import kind_class, kinds
from liveops.models.log import LogChunk
from liveops.models.operation import LiveOperation
from liveops.models.state import ACTIVE, FINISHED, RETRYABLE, State

__all__ = [
    "ACTIVE",
    "FINISHED",
    "RETRYABLE",
    "LiveOperation",
    "LogChunk",
    "OperationEvent",
    "State",
    "discard_file",
    "kind_class",
    "kinds",
]
