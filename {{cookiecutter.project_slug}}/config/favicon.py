from django.http import HttpRequest, HttpResponseRedirect
from django.templatetags.static import static


def favicon(request: HttpRequest) -> HttpResponseRedirect:
    """Browsers ask for this address on pages that name no icon, such as the admin's."""
    return HttpResponseRedirect(static("favicon.svg"))
