"""Branding of reports: the logo and the color of the account."""

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from dashboard.logos import LARGEST
from dashboard.models.branding import DEFAULT_COLOR
from dashboard.pages.settings.guards import decider
from dashboard.queries.branding import branding
from dashboard.scoped_request import ScopedRequest
from dashboard.services import RefusedError
from dashboard.services.branding import set_branding


class BrandingForm(forms.Form):
    """The color, and a logo to upload or to remove."""

    color = forms.CharField(
        label=gettext_lazy("Color"),
        max_length=7,
        help_text=gettext_lazy("Of the line under the logo; dark enough to read on white. The product's is #0c6663."),
    )
    logo = forms.FileField(
        label=gettext_lazy("Logo"),
        required=False,
        allow_empty_file=False,
        help_text=gettext_lazy("SVG with paths and plain colors, or PNG; 200 kB at most."),
        widget=forms.FileInput(attrs={"accept": ".svg,.png,image/svg+xml,image/png"}),
    )
    remove = forms.BooleanField(label=gettext_lazy("Use the product's mark instead"), required=False)

    def clean_logo(self) -> UploadedFile | None:
        """Refuse a file before it is read whole."""
        logo: UploadedFile | None = self.cleaned_data.get("logo")
        if logo is not None and (logo.size or 0) > LARGEST:
            raise forms.ValidationError(
                _("The logo is larger than %(n)s kB: make it smaller.") % {"n": LARGEST // 1000}
            )
        return logo


@require_http_methods(["GET", "HEAD", "POST"])
def settings_branding(request: ScopedRequest) -> HttpResponse:
    """Show and take the logo and the color; for administrators, 404 for others."""
    if not request.scope.is_administrator:
        raise Http404
    found = branding(request.scope)
    is_sent = request.method == "POST"
    form = BrandingForm(
        request.POST if is_sent else None, request.FILES if is_sent else None, initial={"color": found.color}
    )
    if form.is_valid():
        upload = form.cleaned_data["logo"]
        logo = upload.read() if upload is not None else b"" if form.cleaned_data["remove"] else None
        try:
            is_changed = set_branding(
                request.account, by=decider(request), at=request.now, color=form.cleaned_data["color"], logo=logo
            )
        except RefusedError as error:
            form.add_error(None, str(error))
        else:
            told = _("Reports look so from now on.") if is_changed else _("Nothing was changed.")
            messages.success(request, told)
            return redirect("settings_branding")
    context = {"form": form, "branding": found, "default": DEFAULT_COLOR}
    return render(request, "dashboard/settings/branding.html", context)


@require_safe
def settings_logo(request: ScopedRequest) -> HttpResponse:
    """Send the logo; 404 where there is none. It was checked when it was set, and may do nothing here either."""
    found = branding(request.scope)
    if not request.scope.is_administrator or not found.logo:
        raise Http404
    return HttpResponse(
        found.logo,
        content_type="image/svg+xml",
        headers={
            "Content-Security-Policy": "default-src 'none'; img-src data:; sandbox",
            "Cache-Control": "private, no-store",
        },
    )
