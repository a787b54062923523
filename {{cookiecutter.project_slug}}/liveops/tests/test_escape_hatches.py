"""Only `p.html()` and `html_raw=` bring markup to the page; whoever adds a way meets this list."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.template import engines

ENGINE = Path(settings.BASE_DIR) / "liveops"
TEMPLATES = [*ENGINE.glob("templates/**/*.html"), *Path(settings.BASE_DIR, "templates").rglob("*")]

# What makes HTML of a text without escaping it.
NAMES = {"mark_safe", "SafeString", "SafeText", "SafeData", "html_safe", "__html__", "autoescape"}
# Module and function, and why it may.
ALLOWED = {
    ("fragments", "render_log"),  # joins lines of `render_line`, which escapes
    ("fragments", "_visible"),  # a template has escaped, and marks are added
    ("record", "html"),  # a line of `render_line_text`, which escapes
    ("templatetags.liveops", "visible"),  # `conditional_escape`, and marks are added
    ("templatetags.liveops", "live_region"),  # what `p.swap()` and `p.html()` have stored
}
UNESCAPED = re.compile(r"\|\s*safe(?:seq)?\b|autoescape\s+off|\{%\s*verbatim|\|\s*unescape")


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ENGINE.rglob("*.py")):
        parts = path.relative_to(ENGINE).with_suffix("").parts
        if not {"tests", "migrations"} & set(parts):
            yield ".".join(parts), ast.parse(path.read_text(encoding="utf-8"))


def uses(tree: ast.AST, function: str = "") -> Iterator[tuple[str, str]]:
    """Function and name of each use; imports and annotations make nothing safe."""
    for node in ast.iter_child_nodes(tree):
        inner = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else function
        if isinstance(node, ast.Call):
            called = node.func
            name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
            if name in NAMES:
                yield function, name
            if any(word.arg in {"autoescape", "is_safe"} for word in node.keywords):
                yield function, "autoescape"
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in NAMES:
            yield function, node.name
        if isinstance(node, ast.ClassDef):
            bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
            if bases & NAMES:
                yield node.name, "SafeString"
        yield from uses(node, inner)


def test_nothing_but_the_named_functions_makes_text_into_markup():
    found = {(module, function) for module, tree in modules() for function, _name in uses(tree)}
    assert found == ALLOWED


def test_the_engine_has_no_alias_for_what_is_searched():
    for module, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom | ast.Import):
                aliases = [name for name in node.names if name.asname and name.name in NAMES]
                assert not aliases, module


@pytest.mark.parametrize("path", [p for p in TEMPLATES if p.is_file()], ids=lambda p: p.name)
def test_no_template_turns_escaping_off(path):
    assert not UNESCAPED.search(path.read_text(encoding="utf-8"))


def test_templates_escape_at_all():
    assert engines["django"].from_string("{{ a }}").render({"a": "<"}) == "&lt;"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def f(x):\n return mark_safe(x)", {("f", "mark_safe")}),
        ("def f(x):\n return safestring.SafeString(x)", {("f", "SafeString")}),
        ("class A(SafeString): pass", {("A", "SafeString")}),
        ("class A:\n def __html__(self): return 1", {("", "__html__")}),
        ("def f(x):\n return Context(x, autoescape=False)", {("f", "autoescape")}),
        ("def f(x: SafeString) -> SafeString:\n return escape(x)", set()),
    ],
)
def test_the_search_finds_what_it_is_for(source, found):
    assert set(uses(ast.parse(source))) == found


@pytest.mark.parametrize(
    "source",
    ["{{ a|safe }}", "{{ a | safeseq|join:' ' }}", "{% autoescape off %}", "{% verbatim %}"],
)
def test_the_search_in_templates_finds_what_it_is_for(source):
    assert UNESCAPED.search(source)
