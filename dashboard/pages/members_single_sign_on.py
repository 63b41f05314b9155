"""Single sign-on of the account: the identity provider, and what its groups give."""

from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.validators import DomainNameValidator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from config.email_addresses import validate_address
from dashboard.identity.invitation_mail import public_address
from dashboard.identity.recently import recently_signed_in
from dashboard.mail.alerts.causes import send_fewer_groups
from dashboard.models import Role, SingleSignOn
from dashboard.models.single_sign_on import new_key
from dashboard.pages.members import for_this_accounts_administrators, is_confirmed
from dashboard.pages.members_domains import shown_domains
from dashboard.pages.members_form import Doubts, RoleForm, unread_doubts
from dashboard.pages.settings.guards import decider
from dashboard.queries import members as queries
from dashboard.requests.sent_forms import once
from dashboard.scoped_request import ScopedRequest
from dashboard.services import RefusedError
from dashboard.services.sign_on_settings import Mapping, add_mapping, remove, remove_mapping, save
from dashboard.wording.members import what_became

_COMMON = ("kind", "name", "email_domains", "email_attribute", "groups_claim", "default_role")
_OIDC = ("server_url", "client_id", "secret")
_SAML = ("idp_entity_id", "idp_sso_url", "idp_certificate")
# Where the session keeps the key of a provider that is not saved yet, by account.
_KEY_TO_BE = "single_sign_on_key"
_LOCAL = {"127.0.0.1", "localhost", "::1"}


class SingleSignOnForm(forms.Form):
    """An identity provider. Its secret is written and never read back."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=SingleSignOn.Kind.choices)
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=60, help_text=gettext_lazy("As the sign-in page calls it.")
    )
    email_domains = forms.CharField(
        label=gettext_lazy("Email domains"),
        max_length=2000,
        help_text=gettext_lazy(
            "Only emails of these are believed; separate several with commas. Saved, they can be proven on this page."
        ),
    )
    groups_claim = forms.CharField(
        label=gettext_lazy("Claim or attribute with groups"), max_length=200, initial="groups"
    )
    email_attribute = forms.CharField(
        label=gettext_lazy("Claim or attribute with the email"),
        required=False,
        max_length=200,
        help_text=gettext_lazy(
            "Empty: the usual ones, a name ID that is an email, and in domains proven to be this account's the name to "
            "sign in with."
        ),
    )
    default_role = forms.ChoiceField(
        label=gettext_lazy("Role without a mapped group"),
        required=False,
        choices=[
            ("", gettext_lazy("None: a page says whom to ask")),
            *((role.value, role.label) for role in (Role.PEOPLE_MANAGER, Role.SECURITY_MANAGER)),
        ],
    )
    server_url = forms.URLField(
        label=gettext_lazy("Issuer"),
        required=False,
        max_length=500,
        assume_scheme="https",
        help_text=gettext_lazy("The provider's address; its configuration is read from there."),
    )
    client_id = forms.CharField(label=gettext_lazy("Client ID"), required=False, max_length=300)
    secret = forms.CharField(
        label=gettext_lazy("Client secret"),
        required=False,
        max_length=2000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    idp_entity_id = forms.CharField(label=gettext_lazy("Entity ID"), required=False, max_length=500)
    idp_sso_url = forms.URLField(
        label=gettext_lazy("Sign-in address"), required=False, max_length=500, assume_scheme="https"
    )
    idp_certificate = forms.CharField(
        label=gettext_lazy("Signing certificate"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy("PEM, from the provider's metadata."),
    )
    is_enabled = forms.BooleanField(label=gettext_lazy("Offer it on the sign-in page"), required=False, initial=True)
    is_required = forms.BooleanField(
        label=gettext_lazy("Required: members sign in no other way (administrators can)"), required=False
    )

    def __init__(self, single_sign_on: SingleSignOn, *args: Any, **kwargs: Any) -> None:
        self.single_sign_on = single_sign_on
        if single_sign_on.pk is not None:
            kwargs["initial"] = {
                name: getattr(single_sign_on, name) for name in self.base_fields if name not in {"secret"}
            } | {"email_domains": ", ".join(single_sign_on.email_domains)}
        super().__init__(*args, **kwargs)
        problem = single_sign_on.secret_problem
        self.has_secret = bool(single_sign_on.encrypted_secret) and not problem
        if problem:
            self.fields["secret"].help_text = _("%(problem)s Or enter the client secret again.") % {"problem": problem}
        elif self.has_secret:
            self.fields["secret"].help_text = _("One is stored and never shown again. Type another only to replace it.")

    @property
    def common_fields(self) -> list[forms.BoundField]:
        """The fields of every provider."""
        return [self[name] for name in _COMMON]

    @property
    def oidc_fields(self) -> list[forms.BoundField]:
        """The fields of OpenID Connect."""
        return [self[name] for name in _OIDC]

    @property
    def saml_fields(self) -> list[forms.BoundField]:
        """The fields of SAML."""
        return [self[name] for name in _SAML]

    @property
    def is_saml(self) -> bool:
        """Whether SAML is chosen."""
        return self["kind"].value() == SingleSignOn.Kind.SAML

    def clean_email_domains(self) -> list[str]:
        """Return the domains, each in lower case and once."""
        text: str = self.cleaned_data["email_domains"]
        parts = (part.strip().lower().removeprefix("@").removesuffix(".") for part in text.split(","))
        domains = dict.fromkeys(filter(None, parts))
        for domain in domains:
            DomainNameValidator(message=_("“%(value)s” is not a domain."))(domain)
            try:
                validate_address(f"postmaster@{domain}")
            except ValidationError:
                raise ValidationError(_("“%(value)s” is not a domain."), params={"value": domain}) from None
        if not domains:
            raise ValidationError(_("At least one domain is needed."))
        return list(domains)

    def clean_server_url(self) -> str:
        """Refuse a provider that is asked without encryption."""
        return _encrypted(self.cleaned_data["server_url"])

    def clean_idp_sso_url(self) -> str:
        """Refuse a provider that is asked without encryption."""
        return _encrypted(self.cleaned_data["idp_sso_url"])

    def clean_idp_certificate(self) -> str:
        """Refuse what is no certificate."""
        text: str = self.cleaned_data["idp_certificate"].strip()
        if text:
            try:
                x509.load_pem_x509_certificate(text.encode())
            except ValueError:
                raise ValidationError(
                    _("This is no certificate: it begins with -----BEGIN CERTIFICATE-----.")
                ) from None
        return text

    def clean(self) -> dict[str, Any]:
        """Want what the kind needs."""
        cleaned = super().clean() or self.cleaned_data
        is_saml = cleaned.get("kind") == SingleSignOn.Kind.SAML
        for name in ("idp_entity_id", "idp_sso_url", "idp_certificate") if is_saml else ("server_url", "client_id"):
            if name in cleaned and not cleaned[name]:
                self.add_error(name, _("This field is required."))
        if not is_saml and not self.has_secret and not cleaned.get("secret"):
            self.add_error("secret", _("This field is required."))
        moved = cleaned.get("server_url", "") != self.single_sign_on.server_url
        if not is_saml and self.has_secret and moved and not cleaned.get("secret"):
            self.add_error("secret", _("Enter the secret again: it would be sent to another address than before."))
        return cleaned


class MappingForm(RoleForm):
    """Form for the role that a group gives."""

    group = forms.CharField(
        label=gettext_lazy("Group"),
        max_length=300,
        help_text=gettext_lazy("As the provider says it; some say an ID, not a name."),
    )
    field_order = ("group", "role", "departments", "last_day")


def _encrypted(address: str) -> str:
    parts = urlsplit(address)
    if address and parts.scheme != "https" and (parts.hostname or "") not in _LOCAL:
        raise ValidationError(_("The address must begin with https://."))
    return address


@require_http_methods(["GET", "HEAD", "POST"])
@for_this_accounts_administrators
@recently_signed_in()
def single_sign_on(request: ScopedRequest) -> HttpResponse:
    """Set up the account's identity provider, and list what its groups give."""
    present = queries.single_sign_on(request.scope)
    provider = present or SingleSignOn(account=request.account, key=_key_to_be(request))
    form = SingleSignOnForm(provider, request.POST if request.method == "POST" else None)
    if form.is_valid():
        save(provider, form.cleaned_data, by=decider(request), request=request)
        request.session.pop(_KEY_TO_BE, None)
        messages.success(request, _("Single sign-on is saved."))
        return redirect("single_sign_on")
    leaves_out = present is not None and queries.leaves_groups_out(request.scope, request.now)
    domains = shown_domains(request.scope)
    context = {
        "form": form,
        "provider": present,
        "domains": domains,
        "unproven": sum(shown.domain.proven_at is None for shown in domains),
        "mappings": queries.single_sign_on_roles(request.scope),
        "addresses": _addresses(provider) if present else _addresses_of_either(provider.key),
        "untold": send_fewer_groups(provider.name) if leaves_out else "",
    }
    return render(request, "dashboard/members/single_sign_on.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_this_accounts_administrators
@recently_signed_in()
@once()
def add_group(request: ScopedRequest) -> HttpResponse:
    """Map a group of the identity provider to a role."""
    provider = queries.single_sign_on(request.scope)
    if provider is None:
        return redirect("single_sign_on")
    form = MappingForm(request, request.POST if request.method == "POST" else None)
    doubts = Doubts()
    if form.is_valid() and not (doubts := unread_doubts(request, form.offer, "")).sentences:
        try:
            mapping = Mapping(form.cleaned_data["group"].strip(), form.offer)
            add_mapping(provider, mapping, by=decider(request), at=request.now, request=request)
        except RefusedError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The group is mapped. It gives the role from the next sign-in on."))
            return redirect("single_sign_on")
    return render(request, "dashboard/members/group.html", {"form": form, "provider": provider, "doubts": doubts})


@require_POST
@for_this_accounts_administrators
@recently_signed_in("single_sign_on")
def remove_group(request: ScopedRequest, pk: int) -> HttpResponse:
    """Forget what a group gives; members lose it when they next sign in."""
    mapping = get_object_or_404(queries.single_sign_on_roles(request.scope), pk=pk)
    remove_mapping(mapping, by=decider(request), request=request)
    messages.success(request, _("The group gives nothing any more. Who has its role loses it at their next sign-in."))
    return redirect("single_sign_on")


@require_POST
@for_this_accounts_administrators
@recently_signed_in("single_sign_on")
def remove_single_sign_on(request: ScopedRequest) -> HttpResponse:
    """Remove the provider and end all roles it gave."""
    provider = queries.single_sign_on(request.scope)
    if not is_confirmed(request):
        return redirect("single_sign_on")
    if provider is not None:
        ended = remove(provider, by=decider(request), at=request.now, request=request)
        messages.success(request, _("Single sign-on is removed; %(n)s roles from it ended.") % {"n": len(ended)})
        for membership, left in ended:
            for sentence in what_became(left):
                messages.info(request, f"{membership.user}: {sentence}")
    return redirect("members")


def _key_to_be(request: ScopedRequest) -> str:
    """Return the key that the account's provider gets once it is saved: providers want their addresses before."""
    kept: dict[str, str] = request.session.get(_KEY_TO_BE, {})
    account = str(request.account.pk)
    if account not in kept:
        request.session[_KEY_TO_BE] = kept = {account: new_key()}
    return kept[account]


def _addresses(provider: SingleSignOn) -> dict[str, str]:
    """Return what the provider's own settings want to know of this site."""
    return _of_oidc(provider.key) if provider.kind == SingleSignOn.Kind.OIDC else _of_saml(provider.key)


def _addresses_of_either(key: str) -> dict[str, str]:
    """Return the same for both kinds, while none is chosen."""
    names = {**dict.fromkeys(_of_oidc(key), "OpenID Connect"), **dict.fromkeys(_of_saml(key), "SAML")}
    return {f"{names[name]}: {name}": address for name, address in {**_of_oidc(key), **_of_saml(key)}.items()}


def _of_oidc(key: str) -> dict[str, str]:
    return {_("Redirect URI"): public_address("openid_connect_callback", provider_id=key)}


def _of_saml(key: str) -> dict[str, str]:
    return {
        _("Entity ID and metadata"): public_address("saml_metadata", organization_slug=key),
        _("Assertion consumer service"): public_address("saml_acs", organization_slug=key),
    }
