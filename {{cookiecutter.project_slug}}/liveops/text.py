"""Text that every database, channel layer and browser takes."""

from typing import Any


def clean(value: object) -> str:
    """Return `str(value)` without NUL (PostgreSQL refuses it) and without lone surrogates.

    Both become U+FFFD, the character for what cannot be shown.
    """
    # Adding makes plain text of a `SafeString`, which templates would not escape.
    text = str(value) + ""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
    return text


def clean_json(value: Any) -> Any:
    """`clean()` for every text in a value that came from JSON."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [clean_json(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): clean_json(item) for key, item in value.items()}
    return value
