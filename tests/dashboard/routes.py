"""Every address of the site, and what each part of it is the key of: for tests that walk all of them.

A new address without an entry fails `test_every_address_has_an_entry`.
"""

from collections.abc import Iterator, Mapping
from itertools import product

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from dashboard.exports.tables import TABLES
from dashboard.reports import Kind

# By name: the kind of thing each argument is the key of. A tuple lists words instead.
ROUTES: dict[str, dict[str, str | tuple[str, ...]]] = {
    **dict.fromkeys(  # noqa: RUF024 - nobody changes them
        (
            *("evidence", "schedules", "add_schedule"),
            *("overview", "past_due", "past_due_addresses", "campaigns", "people", "trends", "exports", "reports"),
            *("review", "sync", "sync_status", "sync_start", "sync_changes", "vanished", "console_imports"),
            *("audit_log", "settings", "settings_log", "settings_branding", "settings_logo", "settings_campaigns"),
            *("settings_departments", "exemptions", "request_exemption", "import_exemptions", "decide_exemptions"),
            *("settings_licenses", "check_mail"),
            *("accounts", "add_account", "members", "invite_member", "single_sign_on", "remove_single_sign_on"),
            *("add_group", "stop_viewing", "your_access", "profile", "end_other_sessions"),
            *("your_name", "confirm_email"),
            *("tokens", "create_token", "try_api", "api_reference"),
            # For programs: without a token they tell nothing. What they tell is walked in tests/dashboard/api.
            *("api_description", "api_metrics", "api_campaigns", "api_enrollments", "api_people", "api_groups"),
            *("api_content", "api_store_purchases", "api_phishing_tests", "api_phishing_results", "api_changes"),
            *("api_sync", "api_sync_runs"),
            # For assistants: the same. Tools are walked in tests/dashboard/mcp.
            "mcp",
            # The ways in and one's own sign-in.
            *("account_login", "account_logout", "account_signup", "account_inactive", "account_reauthenticate"),
            *("account_change_password", "account_set_password", "account_reset_password"),
            *("account_reset_password_done", "account_reset_password_from_key_done"),
            *("mfa_authenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn", "mfa_login_webauthn"),
            *("mfa_index", "mfa_activate_totp", "mfa_deactivate_totp", "mfa_view_recovery_codes"),
            *("mfa_generate_recovery_codes", "mfa_download_recovery_codes", "mfa_list_webauthn", "mfa_add_webauthn"),
        ),
        {},
    ),
    "passport": {"metric": ("completion_rate", "past_due", "no-such-number")},
    "campaign": {"pk": "campaign"},
    "campaign_reconciliation": {"pk": "campaign"},
    "person": {"pk": "person"},
    "keep_search": {"page": ("people", "exemptions", "request_exemption", "no-such-page")},
    "export": {"table": (*TABLES, "no-such-list")},
    "export_file": {"pk": "export"},
    "revoke_token": {"pk": "any"},
    "api_campaign": {"campaign_id": "campaign"},
    "api_enrollment": {"enrollment_id": "any"},
    "api_person": {"person_id": "person"},
    "api_not_found": {"path": ("no-such-address",)},
    "evidence_file": {"pk": "evidence_pack"},
    "schedule": {"pk": "schedule"},
    "edit_schedule": {"pk": "schedule"},
    "act_on_schedule": {"pk": "schedule"},
    "preview_schedule": {"pk": "schedule"},
    "preview_file": {"pk": "schedule"},
    "resend_delivery": {"pk": "delivery"},
    "delivery_file": {"key": ("12345678-1234-4678-9234-567812345678",)},
    "report": {"kind": (*Kind.values, "no-such-report")},
    "review_quarter": {"year": ("2026", "1000"), "quarter": ("3", "9")},
    "sync_run": {"run_id": "run"},
    "resolve_run": {"run_id": "run"},
    "console_import": {"import_id": "console_import"},
    "console_import_columns": {"import_id": "console_import"},
    "console_import_decide": {"import_id": "console_import"},
    "settings_campaign": {"pk": "campaign"},
    "settings_department": {"pk": "department"},
    "exemption": {"pk": "exemption"},
    "edit_account": {"account_id": "account"},
    "test_account": {"account_id": "account"},
    "check_api": {"account_id": "account"},
    "check_api_file": {"account_id": "account"},
    "sync_account": {"account_id": "account"},
    "enable_account": {"account_id": "account"},
    "switch_account": {"account_id": "account"},
    "member": {"pk": "membership"},
    "end_member": {"pk": "membership"},
    "rename_member": {"pk": "membership"},
    "view_as_member": {"pk": "membership"},
    "resend_invitation": {"pk": "invitation"},
    "revoke_invitation": {"pk": "invitation"},
    "end_member_loan": {"pk": "delegation"},
    "end_own_loan": {"pk": "delegation"},
    "remove_group": {"pk": "any"},
    "check_domain": {"pk": "any"},
    "mail_domain": {"pk": "any"},
    "prove_domain": {"token": ("no-such-token",)},
    "end_session": {"pk": "any"},
    "accept_invitation": {"token": ("no-such-token",)},
    "demo_sign_in": {"role": ("administrator",)},
    "account_reset_password_from_key": {"uidb36": ("1",), "key": ("set-password",)},
    "mfa_edit_webauthn": {"pk": "any"},
    "mfa_remove_webauthn": {"pk": "any"},
    "openid_connect_login": {"provider_id": ("no-such-provider",)},
    "openid_connect_callback": {"provider_id": ("no-such-provider",)},
    "saml_login": {"organization_slug": ("no-such-provider",)},
    "saml_acs": {"organization_slug": ("no-such-provider",)},
    "saml_finish_acs": {"organization_slug": ("no-such-provider",)},
    "saml_metadata": {"organization_slug": ("no-such-provider",)},
    "saml_sls": {"organization_slug": ("no-such-provider",)},
}


def names() -> list[str]:
    """Return the name of every address there is."""
    return [str(pattern.name) for pattern in _patterns(get_resolver().url_patterns)]


def addresses(name: str, keys: Mapping[str, list[int]]) -> Iterator[str]:
    """Return the addresses of that name: one for each key of what its arguments are, and for each word."""
    arguments = ROUTES[name]
    choices = [keys.get(kind, [1]) if isinstance(kind, str) else kind for kind in arguments.values()]
    for values in product(*choices):
        yield reverse(name, kwargs=dict(zip(arguments, values, strict=True)))


def _patterns(entries: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for entry in entries:
        if isinstance(entry, URLResolver):
            yield from _patterns(entry.url_patterns)
        else:
            yield entry
