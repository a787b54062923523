"""The audit trail."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from liveops.models.state import State


class OperationEvent(models.Model):
    """One transition or request: who did what to an operation, when, and why."""

    operation = models.ForeignKey(
        "liveops.LiveOperation", on_delete=models.CASCADE, related_name="events"
    )
    at = models.DateTimeField(_("at"), auto_now_add=True)
    # Empty when the system did it: a worker, the sweep.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("user"),
    )
    attempt = models.PositiveIntegerField(_("attempt"))
    from_state = models.CharField(_("from"), max_length=10, choices=State, blank=True)
    to_state = models.CharField(_("to"), max_length=10, choices=State)
    why = models.CharField(_("why"), max_length=200, blank=True)

    class Meta:
        ordering = ["pk"]
        verbose_name = _("event")
        verbose_name_plural = _("events")

    def __str__(self) -> str:
        return f"{self.from_state or 'new'} → {self.to_state} ({self.why})"
