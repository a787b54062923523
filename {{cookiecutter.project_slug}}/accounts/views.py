from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import PasswordChangeView as DjangoPasswordChangeView
from django.http import HttpResponse

from liveops.address import address_of
from liveops.audit import note


class PasswordChangeView(DjangoPasswordChangeView):
    """All other sessions of the user end: Django signs them with the password's hash."""

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        answer = super().form_valid(form)
        note("password changed", user=self.request.user, address=address_of(self.request))
        return answer
