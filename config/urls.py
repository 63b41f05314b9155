"""Every address of the site. An address has the name of its view."""

from allauth.account import views as sign_in
from allauth.mfa.base import views as second_factors
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from allauth.socialaccount.providers.saml import views as saml
from django.urls import include, path, re_path

from dashboard.api.description import api_description
from dashboard.api.site import addresses as api_addresses
from dashboard.mcp.transport import mcp
from dashboard.pages.accounts import (
    accounts,
    add_account,
    edit_account,
    enable_account,
    switch_account,
    sync_account,
    test_account,
)
from dashboard.pages.audit import audit_log
from dashboard.pages.campaign import campaign
from dashboard.pages.campaign_reconciliation import campaign_reconciliation
from dashboard.pages.campaigns import campaigns
from dashboard.pages.check_api import check_api, check_api_file
from dashboard.pages.console_import import (
    console_import,
    console_import_columns,
    console_import_decide,
    console_imports,
)
from dashboard.pages.demo_sign_in import demo_sign_in
from dashboard.pages.evidence import evidence, evidence_file
from dashboard.pages.exports import export, export_file, exports
from dashboard.pages.members import (
    end_member,
    end_member_loan,
    invite_member,
    member,
    members,
    resend_invitation,
    revoke_invitation,
)
from dashboard.pages.members_accept import accept_invitation
from dashboard.pages.members_domains import check_domain, mail_domain, prove_domain
from dashboard.pages.members_name import rename_member
from dashboard.pages.members_single_sign_on import (
    add_group,
    remove_group,
    remove_single_sign_on,
    single_sign_on,
)
from dashboard.pages.overview import overview
from dashboard.pages.passport import passport
from dashboard.pages.past_due import past_due, past_due_addresses
from dashboard.pages.people import people
from dashboard.pages.person import person
from dashboard.pages.profile import end_other_sessions, end_session, mfa_index, mfa_list_webauthn, profile
from dashboard.pages.profile_access import end_own_loan, your_access
from dashboard.pages.profile_name import confirm_email, your_name
from dashboard.pages.reports import report, reports
from dashboard.pages.review import review, review_quarter
from dashboard.pages.schedules import (
    act_on_schedule,
    add_schedule,
    delivery_file,
    edit_schedule,
    preview_file,
    preview_schedule,
    resend_delivery,
    schedule,
    schedules,
)
from dashboard.pages.searching import keep_search
from dashboard.pages.settings.branding import settings_branding, settings_logo
from dashboard.pages.settings.campaigns import settings_campaign, settings_campaigns
from dashboard.pages.settings.departments import settings_department, settings_departments
from dashboard.pages.settings.exemption_import import import_exemptions
from dashboard.pages.settings.exemption_request import request_exemption
from dashboard.pages.settings.exemptions import decide_exemptions, exemption, exemptions
from dashboard.pages.settings.home import settings, settings_log
from dashboard.pages.settings.licenses import settings_licenses
from dashboard.pages.settings.mail import check_mail
from dashboard.pages.sign_on import openid_connect_callback, openid_connect_login, saml_sls, with_host
from dashboard.pages.sync import sync, sync_start, sync_status
from dashboard.pages.sync_changes import sync_changes, vanished
from dashboard.pages.sync_runs import resolve_run, sync_run
from dashboard.pages.tokens import api_reference, create_token, revoke_token, tokens, try_api
from dashboard.pages.trends import trends
from dashboard.pages.view_as import stop_viewing, view_as_member
from dashboard.web.problems import not_found as api_not_found

handler400 = "dashboard.web.refusals.bad_request"
handler403 = "dashboard.web.refusals.permission_denied"
handler404 = "dashboard.web.refusals.page_not_found"
handler500 = "dashboard.web.refusals.server_error"

urlpatterns = [
    path("", overview, name="overview"),
    path("past-due/", past_due, name="past_due"),
    path("past-due/addresses/", past_due_addresses, name="past_due_addresses"),
    path("numbers/<slug:metric>/", passport, name="passport"),
    path("campaigns/", campaigns, name="campaigns"),
    path("campaigns/<int:pk>/", campaign, name="campaign"),
    path("campaigns/<int:pk>/knowbe4/", campaign_reconciliation, name="campaign_reconciliation"),
    path("people/", people, name="people"),
    path("people/<int:pk>/", person, name="person"),
    path("search/<slug:page>/", keep_search, name="keep_search"),
    path("trends/", trends, name="trends"),
    path("exports/", exports, name="exports"),
    path("exports/<slug:table>/", export, name="export"),
    path("exports/files/<int:pk>/", export_file, name="export_file"),
    path("evidence/", evidence, name="evidence"),
    path("evidence/<int:pk>/", evidence_file, name="evidence_file"),
    path("schedules/", schedules, name="schedules"),
    path("schedules/new/", add_schedule, name="add_schedule"),
    path("schedules/<int:pk>/", schedule, name="schedule"),
    path("schedules/<int:pk>/change/", edit_schedule, name="edit_schedule"),
    path("schedules/<int:pk>/act/", act_on_schedule, name="act_on_schedule"),
    path("schedules/<int:pk>/preview/", preview_schedule, name="preview_schedule"),
    path("schedules/<int:pk>/preview/file/", preview_file, name="preview_file"),
    path("schedules/mails/<int:pk>/again/", resend_delivery, name="resend_delivery"),
    path("schedules/files/<uuid:key>/", delivery_file, name="delivery_file"),
    path("reports/", reports, name="reports"),
    path("reports/<slug:kind>/", report, name="report"),
    path("review/", review, name="review"),
    path("review/<int:year>-q<int:quarter>/", review_quarter, name="review_quarter"),
    path("sync/", sync, name="sync"),
    path("sync/status/", sync_status, name="sync_status"),
    path("sync/start/", sync_start, name="sync_start"),
    path("sync/runs/<int:run_id>/", sync_run, name="sync_run"),
    path("sync/runs/<int:run_id>/resolve/", resolve_run, name="resolve_run"),
    path("sync/changes/", sync_changes, name="sync_changes"),
    path("sync/vanished/", vanished, name="vanished"),
    path("sync/imports/", console_imports, name="console_imports"),
    path("sync/imports/<int:import_id>/", console_import, name="console_import"),
    path("sync/imports/<int:import_id>/columns/", console_import_columns, name="console_import_columns"),
    path("sync/imports/<int:import_id>/decide/", console_import_decide, name="console_import_decide"),
    path("audit/", audit_log, name="audit_log"),
    path("settings/", settings, name="settings"),
    path("settings/log/", settings_log, name="settings_log"),
    path("settings/reports/", settings_branding, name="settings_branding"),
    path("settings/reports/logo/", settings_logo, name="settings_logo"),
    path("settings/mail/", check_mail, name="check_mail"),
    path("settings/licenses/", settings_licenses, name="settings_licenses"),
    path("settings/campaigns/", settings_campaigns, name="settings_campaigns"),
    path("settings/campaigns/<int:pk>/", settings_campaign, name="settings_campaign"),
    path("settings/departments/", settings_departments, name="settings_departments"),
    path("settings/departments/<int:pk>/", settings_department, name="settings_department"),
    path("settings/exemptions/", exemptions, name="exemptions"),
    path("settings/exemptions/new/", request_exemption, name="request_exemption"),
    path("settings/exemptions/import/", import_exemptions, name="import_exemptions"),
    path("settings/exemptions/decide/", decide_exemptions, name="decide_exemptions"),
    path("settings/exemptions/<int:pk>/", exemption, name="exemption"),
    path("settings/accounts/", accounts, name="accounts"),
    path("settings/accounts/new/", add_account, name="add_account"),
    path("settings/accounts/<int:account_id>/", edit_account, name="edit_account"),
    path("settings/accounts/<int:account_id>/test/", test_account, name="test_account"),
    path("settings/accounts/<int:account_id>/check/", check_api, name="check_api"),
    path("settings/accounts/<int:account_id>/check/file/", check_api_file, name="check_api_file"),
    path("settings/accounts/<int:account_id>/sync/", sync_account, name="sync_account"),
    path("settings/accounts/<int:account_id>/enable/", enable_account, name="enable_account"),
    path("settings/members/", members, name="members"),
    path("settings/members/invite/", invite_member, name="invite_member"),
    path("settings/members/<int:pk>/", member, name="member"),
    path("settings/members/<int:pk>/name/", rename_member, name="rename_member"),
    path("settings/members/<int:pk>/end/", end_member, name="end_member"),
    path("settings/members/<int:pk>/view/", view_as_member, name="view_as_member"),
    path("stop-viewing/", stop_viewing, name="stop_viewing"),
    path("settings/members/invitations/<int:pk>/send/", resend_invitation, name="resend_invitation"),
    path("settings/members/invitations/<int:pk>/revoke/", revoke_invitation, name="revoke_invitation"),
    path("settings/members/loans/<int:pk>/end/", end_member_loan, name="end_member_loan"),
    path("settings/sign-on/", single_sign_on, name="single_sign_on"),
    path("settings/sign-on/remove/", remove_single_sign_on, name="remove_single_sign_on"),
    path("settings/sign-on/domains/<int:pk>/check/", check_domain, name="check_domain"),
    path("settings/sign-on/domains/<int:pk>/mail/", mail_domain, name="mail_domain"),
    path("settings/sign-on/groups/new/", add_group, name="add_group"),
    path("settings/sign-on/groups/<int:pk>/remove/", remove_group, name="remove_group"),
    path("api/v1/openapi.json", api_description, name="api_description"),
    path("api/v1/", include(api_addresses())),
    re_path(r"^api/v1/(?P<path>.*)$", api_not_found, name="api_not_found"),
    path("you/tokens/", tokens, name="tokens"),
    path("you/tokens/new/", create_token, name="create_token"),
    path("you/tokens/try/", try_api, name="try_api"),
    path("you/tokens/reference/", api_reference, name="api_reference"),
    path("you/tokens/<int:pk>/revoke/", revoke_token, name="revoke_token"),
    # Assistants are told an address by people, who write a slash or not.
    re_path(r"^mcp/?$", mcp, name="mcp"),
    path("you/access/", your_access, name="your_access"),
    path("you/access/loans/<int:pk>/end/", end_own_loan, name="end_own_loan"),
    path("you/", profile, name="profile"),
    path("you/name/", your_name, name="your_name"),
    path("you/name/confirm/", confirm_email, name="confirm_email"),
    path("you/sessions/<int:pk>/end/", end_session, name="end_session"),
    path("you/sessions/end/", end_other_sessions, name="end_other_sessions"),
    path("domain/<str:token>/", prove_domain, name="prove_domain"),
    path("invitation/<str:token>/", accept_invitation, name="accept_invitation"),
    path("demo/<slug:role>/", demo_sign_in, name="demo_sign_in"),
    path("accounts/<int:account_id>/switch/", switch_account, name="switch_account"),
    # Sign-in: of allauth's addresses those that make sense where accounts are by invitation. The names are allauth's.
    path("sign-in/", sign_in.login, name="account_login"),
    path("sign-out/", sign_in.logout, name="account_logout"),
    path("sign-up/", sign_in.signup, name="account_signup"),
    path("inactive/", sign_in.account_inactive, name="account_inactive"),
    path("confirm/", sign_in.reauthenticate, name="account_reauthenticate"),
    path("password/", sign_in.password_change, name="account_change_password"),
    path("password/set/", sign_in.password_set, name="account_set_password"),
    path("password/reset/", sign_in.password_reset, name="account_reset_password"),
    path("password/reset/sent/", sign_in.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/(?P<uidb36>[0-9A-Za-z]{1,13})-(?P<key>[^/]+)/$",
        sign_in.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("password/reset/done/", sign_in.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    path("second-factor/", second_factors.authenticate, name="mfa_authenticate"),
    path("confirm/code/", second_factors.reauthenticate, name="mfa_reauthenticate"),
    path("confirm/passkey/", passkeys.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("passkey/", passkeys.login_webauthn, name="mfa_login_webauthn"),
    path("you/factors/", mfa_index, name="mfa_index"),
    path("you/app/", totp.activate_totp, name="mfa_activate_totp"),
    path("you/app/remove/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("you/codes/", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("you/codes/new/", recovery_codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("you/codes/download/", recovery_codes.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("you/passkeys/", mfa_list_webauthn, name="mfa_list_webauthn"),
    path("you/passkeys/add/", passkeys.add_webauthn, name="mfa_add_webauthn"),
    path("you/passkeys/<int:pk>/", passkeys.edit_webauthn, name="mfa_edit_webauthn"),
    path("you/passkeys/<int:pk>/remove/", passkeys.remove_webauthn, name="mfa_remove_webauthn"),
    # Single sign-on. Signing out at the provider, too, is not offered: its address exists only to be named.
    path("sign-on/<slug:provider_id>/", openid_connect_login, name="openid_connect_login"),
    path("sign-on/<slug:provider_id>/callback/", openid_connect_callback, name="openid_connect_callback"),
    path("sign-on/saml/<slug:organization_slug>/", with_host(saml.login), name="saml_login"),
    path("sign-on/saml/<slug:organization_slug>/acs/", with_host(saml.acs), name="saml_acs"),
    path("sign-on/saml/<slug:organization_slug>/finish/", with_host(saml.finish_acs), name="saml_finish_acs"),
    path("sign-on/saml/<slug:organization_slug>/metadata/", with_host(saml.metadata), name="saml_metadata"),
    path("sign-on/saml/<slug:organization_slug>/sls/", saml_sls, name="saml_sls"),
]
