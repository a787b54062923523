"""What a class of operations says about itself."""

import re
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, ClassVar

from django.apps import apps
from django.db import models

if TYPE_CHECKING:
    from django.forms import ModelForm

    from liveops.models.operation import LiveOperation

DEFAULT_RESULT_TEMPLATE = "liveops/parts/default_result.html"

WORD_START = re.compile(r"(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Kind(models.Model):
    """The attributes that a kind may set; each has a default that works."""

    # "Import contacts"; by default the words of the class name.
    title: Any = ""
    # One or two sentences for the catalogue; by default the first paragraph of the docstring.
    description: Any = ""
    # One character, shown beside the title.
    icon: str = "⚙️"
    # The names that `p.stage()` will use, in order.
    stages: list[Any] = []
    # A group that is needed to start and watch this kind, besides `LIVEOPS["REQUIRED_GROUP"]`.
    required_group: str = ""
    # The start form; by default made from the kind's own editable fields.
    form_class: "ClassVar[type[ModelForm[Any]] | None]" = None
    # The names of file fields that those who may watch can download.
    downloads: ClassVar[tuple[str, ...]] = ()
    # Run again, up to `LIVEOPS["MAX_ATTEMPTS"]`, when the worker was lost.
    retry_when_lost: bool = False
    # So many operations of this kind run at a time, the others wait their turn; 0: no limit.
    max_running: int = 0
    # The Celery queue that its messages go to, for workers of its own; by default Celery's default.
    queue: str = ""
    # Templates; by default `<app>/<snake>.html` if it exists, and `<app>/<snake>_result.html`.
    host_template_name: str = ""
    result_template_name: str = ""

    class Meta:
        abstract = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = vars(cls)
        if "title" not in own:
            cls.title = WORD_START.sub(" ", cls.__name__).capitalize()
        if "description" not in own:
            # Django writes a docstring of its own later, so this one is the author's.
            cls.description = " ".join(cleandoc(own.get("__doc__") or "").split("\n\n")[0].split())

    @classmethod
    def kind_name(cls) -> str:
        """`app_label.model_name`, as in the column `kind` and in addresses."""
        return cls._meta.label_lower

    @classmethod
    def template_stem(cls) -> str:
        """`operations/import_contacts` for the class `operations.ImportContacts`."""
        return f"{cls._meta.app_label}/{WORD_START.sub('_', cls.__name__).lower()}"

    @classmethod
    def get_host_template_names(cls) -> list[str]:
        own = cls.host_template_name or f"{cls.template_stem()}.html"
        return [own, "liveops/operation.html"]

    @classmethod
    def get_result_template_names(cls) -> list[str]:
        own = cls.result_template_name or f"{cls.template_stem()}_result.html"
        return [own, DEFAULT_RESULT_TEMPLATE]

    @classmethod
    def input_fields(cls) -> list[str]:
        """The names of the fields that the start form asks for."""
        if cls._meta.proxy:
            return []
        own = [*cls._meta.local_fields, *cls._meta.local_many_to_many]
        return [field.name for field in own if field.editable and not field.primary_key]


def kinds() -> "list[type[LiveOperation]]":
    """All kinds of the site, by title."""
    base: Any = apps.get_model("liveops", "LiveOperation")
    found: list[Any] = [m for m in apps.get_models() if issubclass(m, base) and m is not base]
    return sorted(found, key=lambda kind: str(kind.title).casefold())


def kind_class(name: str) -> "type[LiveOperation] | None":
    """The class with this `kind_name()`, or None when the site has no such kind (any more)."""
    try:
        model: Any = apps.get_model(name)
    except (LookupError, ValueError):
        return None
    base: Any = apps.get_model("liveops", "LiveOperation")
    return model if issubclass(model, base) and model is not base else None
