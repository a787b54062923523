"""A start form filled with what a request brings, checked as the browser's is and more strictly."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from api.errors import Fault, Invalid, shown
from api.fields import Input, inputs_of
from liveops.models import LiveOperation
from liveops.starting import form_class_for

BOOLEANS = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}


def filled_form(kind: type[LiveOperation], request: Request) -> forms.ModelForm:
    """The valid form. Raises Invalid.

    What the request leaves out has its default, as in the browser, where it is filled in.
    """
    form_class = form_class_for(kind)
    inputs = {each.name: each for each in inputs_of(form_class())}
    sent: Mapping[str, Any] = request.data
    files = request.FILES or MultiValueDict()
    if request.content_type.startswith("multipart/") and not sent:
        raise ParseError(_("The form has no parts. Send one, or the JSON object {}."))
    data = {each.name: preset(each) for each in inputs.values() if each.type != "file"}
    faults = [unknown(name, inputs) for name in sent if name not in inputs]
    for name in set(sent) & set(inputs):
        value = raw(sent, inputs[name])
        if fault := fault_of(inputs[name], value, as_text=isinstance(sent, QueryDict)):
            faults.append(fault)
        else:
            data[name] = value
    if faults:
        raise Invalid(faults)
    form = form_class(data=data, files=files)
    for field in form.fields.values():
        # Values come one by one and by name, whatever a page would show.
        if not isinstance(field, forms.FileField):
            field.widget = forms.Widget()
    if not form.is_valid():
        raise Invalid(faults_of(form, sent))
    return form


def preset(each: Input) -> Any:
    return json.dumps(each.default) if each.type == "json" else each.default


def raw(sent: Mapping[str, Any], each: Input) -> Any:
    """The value as the form takes it; parts of a form are text, so booleans are read here."""
    if not isinstance(sent, QueryDict):
        value = sent[each.name]
        if each.type == "integer" and isinstance(value, float) and value.is_integer():
            return int(value)
        return json.dumps(value) if each.type == "json" else value
    values = sent.getlist(each.name)
    if each.type == "array" or len(values) > 1:
        return values
    if each.type == "boolean":
        return BOOLEANS.get(str(values[0]).lower(), values[0])
    return values[0]


def fault_of(each: Input, value: Any, *, as_text: bool) -> Fault | None:
    """What is wrong with the type of a value; the form says what else is.

    `as_text`: numbers come as text, in a part of a multipart body.
    """
    wanted: dict[str, Any] = {
        "boolean": bool,
        "integer": str if as_text else int,
        "number": str if as_text else int | float,
        "array": list,
        "file": UploadedFile,
    }
    fits = isinstance(value, wanted.get(each.type, str))
    if isinstance(value, bool) and each.type != "boolean":
        fits = False
    if each.type == "array" and fits:
        fits = all(isinstance(item, str) for item in value)
    if each.type == "json" and fits and not is_storable(value):
        message = _("This has a null character or half of a character in it.")
        return Fault(field=each.name, code="unstorable", message=message, value=shown(value))
    if fits or (value is None and each.blank):
        return None
    message = _("This has to be a value of the type “%(type)s”.") % {"type": each.type}
    if isinstance(value, UploadedFile):
        message += " " + _("It is no file.")
    return Fault(field=each.name, code="wrong_type", message=message, value=shown(value))


def is_storable(text: str) -> bool:
    """Whether a database can hold what this JSON says; the form says whether it is JSON."""
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    except (ValueError, RecursionError):
        return True
    return not has_null(value)


def has_null(value: Any) -> bool:
    match value:
        case str():
            return "\0" in value
        case list():
            return any(map(has_null, value))
        case dict():
            return any(map(has_null, (*value, *value.values())))
    return False


def unknown(name: str, inputs: Mapping[str, Input]) -> Fault:
    names = ", ".join(inputs) or _("none")
    message = _("There is no such field. The fields are: %(names)s.") % {"names": names}
    return Fault(field=shown(name), code="unknown", message=message)


def faults_of(form: forms.BaseForm, sent: Mapping[str, Any]) -> Iterator[Fault]:
    """The errors of a form; what is wrong with no single field goes by the name ""."""
    for name, errors in form.errors.as_data().items():
        field = "" if name == NON_FIELD_ERRORS else name
        value = shown(sent[field]) if field in sent else None
        for error in errors:
            message = " ".join(map(str, error.messages))
            yield Fault(field=field, code=error.code or "invalid", message=message, value=value)
