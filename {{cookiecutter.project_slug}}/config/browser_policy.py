"""What browsers are told that pages of this site may do, which is little."""

from typing import Any

from csp.constants import NONE, SELF

REPORTS_PATH = "csp-report"
REPORTS_ENDPOINT = "csp"

# Whatever a browser may do on behalf of a page, none of which a page here does. Only names that
# Chromium knows on every system: of others it complains in its console, on each page.
POWERS = (
    *("accelerometer", "autoplay", "browsing-topics", "camera", "captured-surface-control"),
    *("clipboard-read", "clipboard-write", "compute-pressure", "digital-credentials-create"),
    *("digital-credentials-get", "display-capture", "encrypted-media", "fullscreen", "gamepad"),
    *("geolocation", "gyroscope", "hid", "identity-credentials-get", "idle-detection"),
    *("keyboard-map", "language-detector", "language-model", "local-fonts"),
    *("local-network", "local-network-access", "loopback-network", "magnetometer"),
    *("media-playback-while-not-visible", "microphone", "midi", "on-device-speech-recognition"),
    *("otp-credentials", "payment", "picture-in-picture", "private-state-token-issuance"),
    *("private-state-token-redemption", "publickey-credentials-create"),
    *("publickey-credentials-get", "screen-wake-lock", "serial", "speaker-selection"),
    *("storage-access", "summarizer", "translator", "usb", "window-management"),
    "xr-spatial-tracking",
)


def content_security_policy(*, https: bool) -> dict[str, Any]:
    directives = {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        # In current browsers this covers the websocket of the same host and port too.
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
        "require-trusted-types-for": ["'script'"],
        # "liveops" is for what the server sent, see `liveops/trusted.js`; "default" for the
        # libraries of the admin, see `admin-trusted.js`.
        "trusted-types": ["liveops", "default"],
        "report-uri": [f"/{REPORTS_PATH}"],
    }
    # Whoever knows this one does not heed the other, and sends nothing but over https.
    reports = {"report-to": [REPORTS_ENDPOINT]} if https else {}
    return {"DIRECTIVES": directives | reports}


def headers(*, https: bool) -> dict[str, str]:
    """What comes with every answer, besides."""
    reports = {"Reporting-Endpoints": f'{REPORTS_ENDPOINT}="/{REPORTS_PATH}"'} if https else {}
    return reports | {
        "Permissions-Policy": ", ".join(f"{power}=()" for power in POWERS),
        "Cross-Origin-Resource-Policy": "same-origin",
        # Django sets these as well, but not where its own middleware refuses to answer.
        "Cross-Origin-Opener-Policy": "same-origin",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
