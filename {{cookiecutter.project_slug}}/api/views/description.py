"""The OpenAPI description, for programs and for people."""

from typing import Any

from django.utils.translation import gettext as _
from django.views.generic import TemplateView
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from api.reading import calls_of
from api.views.base import View
from liveops.views import BaseLiveOperationMixin


@extend_schema(exclude=True)
class SchemaView(View):
    renderer_classes = (OpenApiJsonRenderer,)

    def get(self, request: Request) -> Response:
        return Response(SchemaGenerator().get_schema(request=request, public=True))


class DocsView(BaseLiveOperationMixin, TemplateView):
    """For people, with the site's own look and without a script."""

    template_name = "api/docs.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        request = Request(self.request)
        request.user, request.auth = self.request.user, None
        schema = SchemaGenerator().get_schema(request=request, public=True)
        return super().get_context_data(calls=list(calls_of(schema)), **kwargs)


@extend_schema(exclude=True)
class NothingHereView(View):
    """For every other address below the API's."""

    permission_classes = ()
    authentication_classes = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound(
            _(
                "There is nothing at this address. GET /api/schema/ describes what there is; "
                "addresses end with a slash."
            )
        )
