"""Headers of every response: what may be loaded and run, who may frame or share it, who may keep it.

The rest is Django's: Referrer-Policy, Cross-Origin-Opener-Policy, X-Content-Type-Options, Strict-Transport-Security.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

# Charts are saved as pictures by way of a blob; nothing else comes from elsewhere than this site.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
# Passkeys are asked for on our own pages; addresses are copied by a button. Nothing else of the device is needed.
ALLOWED_FEATURES = ("clipboard-write", "publickey-credentials-create", "publickey-credentials-get")
REFUSED_FEATURES = (
    *("accelerometer", "autoplay", "browsing-topics", "camera", "clipboard-read", "display-capture", "encrypted-media"),
    *("fullscreen", "geolocation", "gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer", "microphone"),
    *("midi", "payment", "picture-in-picture", "screen-wake-lock", "serial", "storage-access", "usb"),
    *("window-management", "xr-spatial-tracking"),
)
PERMISSIONS = ", ".join(
    (*(f"{name}=(self)" for name in ALLOWED_FEATURES), *(f"{name}=()" for name in REFUSED_FEATURES))
)


class HeadersMiddleware:
    """Send the policies with every response; and keep pages out of every cache but, for Back, the browser's memory."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if not request.path.startswith(settings.STATIC_URL):
            # Whoever sits down at this computer next must not find pages on its disk.
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response
