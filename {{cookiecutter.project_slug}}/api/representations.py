"""What the API says of kinds, operations and logs; the OpenAPI description is made from these."""

from dataclasses import asdict
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.fields import inputs_of
from liveops.models import LiveOperation, State
from liveops.starting import form_class_for

LEVELS = ["debug", "info", "success", "warning", "error"]
STAGE_STATES = ["pending", "active", "done", "failed", "cancelled"]


class FaultSerializer(serializers.Serializer):
    field = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    message = serializers.CharField()
    value = serializers.CharField(allow_null=True, allow_blank=True)


class ErrorSerializer(serializers.Serializer):
    """Every refusal, whatever the status."""

    error = serializers.CharField()
    message = serializers.CharField()
    fields = FaultSerializer(many=True)


class ChoiceSerializer(serializers.Serializer):
    value = serializers.CharField(allow_blank=True)
    label = serializers.CharField(allow_blank=True)


class InputSerializer(serializers.Serializer):
    """One field of a start form."""

    name = serializers.CharField()
    label = serializers.CharField()
    help = serializers.CharField(allow_blank=True)
    type = serializers.CharField()
    required = serializers.BooleanField()
    blank = serializers.BooleanField()
    default = serializers.JSONField()
    choices = ChoiceSerializer(many=True, allow_null=True)
    minimum = serializers.FloatField(allow_null=True)
    maximum = serializers.FloatField(allow_null=True)
    max_length = serializers.IntegerField(allow_null=True)


class KindSerializer(serializers.Serializer):
    """A kind that the user may start."""

    kind = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    icon = serializers.CharField(allow_blank=True)
    stages = serializers.ListField(child=serializers.CharField())
    fields = InputSerializer(many=True)
    start_url = serializers.CharField()

    def to_representation(self, kind: type[LiveOperation]) -> dict[str, Any]:
        return {
            "kind": kind.kind_name(),
            "title": str(kind.title),
            "description": str(kind.description),
            "icon": kind.icon,
            "stages": [str(stage) for stage in kind.stages],
            "fields": [asdict(each) for each in inputs_of(form_class_for(kind)())],
            "start_url": reverse("api:start", args=[kind.kind_name()]),
        }


class StatusSerializer(serializers.Serializer):
    text = serializers.CharField(source="status_text", allow_blank=True)
    level = serializers.CharField(source="status_level")


class StageSerializer(serializers.Serializer):
    name = serializers.CharField()
    state = serializers.ChoiceField(STAGE_STATES)
    seconds = serializers.FloatField(allow_null=True)


class TrackingSerializer(serializers.Serializer):
    """How far `p.track` has come; rate per second, eta in seconds."""

    label = serializers.CharField(allow_null=True, allow_blank=True)
    unit = serializers.CharField(allow_blank=True)
    done = serializers.IntegerField()
    total = serializers.IntegerField(allow_null=True)
    rate = serializers.FloatField(allow_null=True)
    eta = serializers.FloatField(allow_null=True)


class SummarySerializer(serializers.Serializer):
    """An operation in a list."""

    id = serializers.UUIDField(source="pk")
    kind = serializers.CharField()
    title = serializers.CharField()
    state = serializers.ChoiceField(State.choices)
    attempt = serializers.IntegerField()
    percent = serializers.FloatField(allow_null=True)
    status = StatusSerializer(source="*")
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    url = serializers.SerializerMethodField()

    def get_url(self, operation: LiveOperation) -> str:
        return reverse("api:operation", args=[operation.pk])


class UrlsSerializer(serializers.Serializer):
    """Where to go from here; `page` is for people, `files` is what the operation made."""

    page = serializers.CharField()
    log = serializers.CharField()
    log_text = serializers.CharField()
    cancel = serializers.CharField()
    retry = serializers.CharField()
    subscription_token = serializers.CharField()
    files = serializers.DictField(child=serializers.CharField())


class OperationSerializer(SummarySerializer):
    """Everything about an operation but its log. The traceback is for staff."""

    seq = serializers.IntegerField()
    stages = StageSerializer(source="stage_list", many=True)
    tracking = TrackingSerializer(allow_null=True)
    result = serializers.JSONField(source="result_context")
    error = serializers.CharField(allow_blank=True)
    log_lines = serializers.IntegerField()
    can_cancel = serializers.BooleanField()
    can_retry = serializers.BooleanField()
    heartbeat_at = serializers.DateTimeField(allow_null=True)
    cancel_requested_at = serializers.DateTimeField(allow_null=True)
    next_operation = serializers.UUIDField(source="next_operation_id", allow_null=True)
    urls = serializers.SerializerMethodField()
    traceback = serializers.CharField(allow_blank=True, required=False)

    @extend_schema_field(UrlsSerializer)
    def get_urls(self, operation: LiveOperation) -> dict[str, Any]:
        names = ("log", "log_text", "cancel", "retry", "subscription_token")
        files = [field for field in operation.downloads if getattr(operation, field, None)]
        return {
            "page": operation.get_absolute_url(),
            **{name: reverse(f"api:{name}", args=[operation.pk]) for name in names},
            "files": {name: reverse("api:file", args=[operation.pk, name]) for name in files},
        }

    def to_representation(self, operation: LiveOperation) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(operation)
        if not self.context["request"].user.is_staff:
            shown.pop("traceback")
        return shown


class PageSerializer(serializers.Serializer):
    """One page of a list; `next` and `previous` are addresses, null at the ends."""

    count = serializers.IntegerField()
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = SummarySerializer(many=True)


class LineSerializer(serializers.Serializer):
    number = serializers.IntegerField()
    at = serializers.DateTimeField(source="time")
    level = serializers.ChoiceField(LEVELS)
    text = serializers.CharField(allow_blank=True)


class LogSerializer(serializers.Serializer):
    """A range of the log; `next` is the line to ask for next, `total` how many there are by now."""

    attempt = serializers.IntegerField()
    state = serializers.ChoiceField(State.choices)
    total = serializers.IntegerField()
    next = serializers.IntegerField()
    lines = LineSerializer(many=True)


class SubscriptionTokenSerializer(serializers.Serializer):
    """What opens the websocket, once."""

    token = serializers.CharField()
    websocket = serializers.CharField()
    protocol = serializers.IntegerField()
    expires_in = serializers.IntegerField()
