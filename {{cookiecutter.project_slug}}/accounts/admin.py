from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.sign_in import forget_failures
from liveops.address import address_of
from liveops.audit import note


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    actions = ["let_in"]

    @admin.action(permissions=["change"], description=_("Let them sign in again at once"))
    def let_in(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset:
            forget_failures(user)
            note(
                "sign-in released", user=request.user, account=user.pk, address=address_of(request)
            )
        self.message_user(request, _("Their failed attempts are forgotten."), messages.SUCCESS)
