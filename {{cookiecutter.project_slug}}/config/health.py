from django.http import HttpRequest, HttpResponse


def healthz(request: HttpRequest) -> HttpResponse:
    """Says that this process serves. Asks neither the database nor Redis."""
    return HttpResponse("ok", content_type="text/plain")
