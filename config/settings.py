"""Settings, read from the environment once; whatever is missing is named.

With neither `DATABASE_URL` nor `REDIS_URL` Rollcall runs on its own embedded Postgres and Redis under `var/`
("local mode"), keeps a generated `SECRET_KEY` there, and always answers to this machine's own names. With either of
them set it is a server installation: then all of them, and `ALLOWED_HOSTS`, are required.
"""

import os
import re
from pathlib import Path

from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured

from config import monitoring, variables
from config.local import embedded

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = embedded.VAR_DIR
LOCAL_MODE = not (os.environ.get("DATABASE_URL") or os.environ.get("REDIS_URL"))

# Where people reach this site; https switches on secure cookies and HSTS.
PUBLIC_URL = (os.environ.get("PUBLIC_URL", "").strip() or variables.own_address()).rstrip("/")
_OWN_HOSTS = ["127.0.0.1", "localhost", "[::1]"]

# Services -------------------------------------------------------------------------------------------------------

if LOCAL_MODE:
    DATABASE_URL = embedded.database_url()
    REDIS_URL = embedded.redis_url()
    SECRET_KEY = os.environ.get("SECRET_KEY") or embedded.secret_key()
    ALLOWED_HOSTS = [*_OWN_HOSTS, *variables.hosts(os.environ.get("ALLOWED_HOSTS", ""))]
else:
    DATABASE_URL = variables.required(
        "DATABASE_URL", "a PostgreSQL address (15 to 18), postgresql://user:password@host/name."
    )
    REDIS_URL = variables.required("REDIS_URL", "a Redis address, redis://host:6379/0.")
    SECRET_KEY = variables.secret_key(
        variables.required("SECRET_KEY", "a long random text; it signs sessions and encrypts KnowBe4 keys.")
    )
    ALLOWED_HOSTS = variables.hosts(
        variables.required("ALLOWED_HOSTS", "the host names this site answers to, separated by commas.")
    )
# What was SECRET_KEY before: what it sealed and signed is still read (`config.sealing`).
SECRET_KEY_FALLBACKS = variables.texts("SECRET_KEY_FALLBACKS")
# What mail links to is answered.
if os.environ.get("PUBLIC_URL", "").strip() and variables.public_host(PUBLIC_URL) not in ALLOWED_HOSTS:
    ALLOWED_HOSTS.append(variables.public_host(PUBLIC_URL))
# Names under which other machines ask for this site; the demo's sign-ins exist only where there are none.
OUTSIDE_HOSTS = [host for host in ALLOWED_HOSTS if host not in _OWN_HOSTS]

# The pages sign in to Postgres as a role of their own, which row-level security holds (`dashboard.row_security`); all
# else as the owner of the tables. Without an address for it they change to that role in every transaction.
WEB_DATABASE_URL = os.environ.get("WEB_DATABASE_URL", "").strip() or (
    embedded.database_url(user="rollcall_web") if LOCAL_MODE else ""
)
IS_WEB_LOGIN = os.environ.get("ROLLCALL_PROCESS") == "web" and bool(WEB_DATABASE_URL)
ROW_SECURITY = True
DATABASES = {"default": variables.database(WEB_DATABASE_URL if IS_WEB_LOGIN else DATABASE_URL)}
CACHES = {
    "default": {
        "BACKEND": "config.cache.OptionalRedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 2},
    }
}

# KnowBe4: the environment makes the first account; further ones are added by an administrator.
KNOWBE4_API_KEY = os.environ.get("KNOWBE4_API_KEY", "").strip()
KNOWBE4_REGION = os.environ.get("KNOWBE4_REGION", "").strip().lower() or "us"
KNOWBE4_BASE_URL = variables.knowbe4_address(os.environ.get("KNOWBE4_BASE_URL", "").strip())
# Which account these describe, by name, where there are several, or there should be: see sync.models.environment.
KNOWBE4_ACCOUNT = os.environ.get("KNOWBE4_ACCOUNT", "").strip()
# Off only for a simulator: the real KnowBe4 locks out whoever hurries it.
KNOWBE4_LIMITS = variables.flag("KNOWBE4_LIMITS", default=True)
if KNOWBE4_REGION not in {"us", "eu", "ca", "uk", "de"}:
    raise ImproperlyConfigured(f"KNOWBE4_REGION is {KNOWBE4_REGION!r}: it must be us, eu, ca, uk or de.")
if not re.fullmatch(r"[!-~]*", KNOWBE4_API_KEY):
    raise ImproperlyConfigured("KNOWBE4_API_KEY holds blanks or characters that no key has: copy it once more.")
if len(KNOWBE4_ACCOUNT) > 200:
    raise ImproperlyConfigured("KNOWBE4_ACCOUNT is the name of an account: at most 200 characters.")

# Who administers first: gets a link by mail as long as no administrator can sign in.
ADMIN_EMAIL = variables.administrator(os.environ.get("ADMIN_EMAIL", "").strip())

CSRF_FAILURE_VIEW = "dashboard.web.named_accounts.csrf_failure"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
# How many proxies in front of this site add to X-Forwarded-For: rate limits and the audit log go by what they say.
TRUSTED_PROXIES = ALLAUTH_TRUSTED_PROXY_COUNT = variables.count("TRUSTED_PROXIES", default=0)
_SECURE = PUBLIC_URL.startswith("https://")

DEBUG = variables.flag("DEBUG", default=False)

# Application ----------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.socialaccount.providers.saml",
    "allauth.usersessions",
    "django_htmx",
    "template_partials.apps.SimpleAppConfig",
    "sync",
    "dashboard",
]

# Who watches from outside (`config.monitoring`).
METRICS_TOKEN = variables.secret("METRICS_TOKEN", at_least=16)
IS_LOG_JSON = variables.choice("LOG_FORMAT", {"plain": False, "json": True})
HAS_ACCESS_LOG = variables.flag("ACCESS_LOG", default=False)
if METRICS_TOKEN:
    monitoring.require("prometheus_client", "METRICS_TOKEN")
if IS_LOG_JSON:
    monitoring.require("pythonjsonlogger", "LOG_FORMAT=json")
if os.environ.get("SENTRY_DSN", "").strip():
    monitoring.report_errors(os.environ["SENTRY_DSN"].strip(), PUBLIC_URL)

MIDDLEWARE = [
    *(["dashboard.web.access_log.AccessLogMiddleware"] if HAS_ACCESS_LOG else []),
    "dashboard.client_address.ForwardedMiddleware",
    "dashboard.web.headers.HeadersMiddleware",
    "dashboard.web.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "dashboard.web.compression.CompressionMiddleware",
    "dashboard.web.refusals.RefusalMiddleware",
    "dashboard.web.bodies.BodyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "dashboard.web.session_cookie.SignedSessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "dashboard.web.isolated_pages.IsolationMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "dashboard.identity.unsent.SignInRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "dashboard.audit.log.ActingMiddleware",
    "dashboard.web.scoping.ScopeMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    [
                        (
                            "django.template.loaders.cached.Loader",
                            [
                                "django.template.loaders.filesystem.Loader",
                                "django.template.loaders.app_directories.Loader",
                            ],
                        )
                    ],
                )
            ],
            "libraries": {
                name: f"dashboard.web.templatetags.{name}"
                for name in (
                    "addresses",
                    "cached_include",
                    "drawings",
                    "entrance",
                    "exports",
                    "figures",
                    "labels",
                    "members",
                )
            },
            # As in Django 6, so that no template changes with the upgrade.
            "builtins": ["template_partials.templatetags.partials", "dashboard.web.templatetags.forms"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "dashboard.pages.context.shell",
                "dashboard.identity.unsent.unsent",
            ],
        },
    }
]

# People who sign in ---------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "dashboard.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "overview"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_ADAPTER = "dashboard.identity.adapters.InvitationOnlyAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
# Sensitive acts ask again who it is when the last proof of it is older.
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
# Guessing: by address of the client, by the email tried, whether or not somebody has it, and by both (`client`: see
# `dashboard.identity.limits`, where known browsers have counts of their own). Counted in Redis.
ACCOUNT_RATE_LIMITS = {
    "login_failed": "20/m/ip,5/5m/client,100/h/key",
    "login": "60/m/ip",
    "reset_password": "10/m/ip,3/15m/key",
}
ACCOUNT_FORMS = {
    "login": "dashboard.identity.forms.LoginForm",
    "reset_password": "dashboard.identity.forms.ResetPasswordForm",
}
MFA_ADAPTER = "dashboard.identity.adapters.SecondFactorAdapter"
MFA_FORMS = {"add_webauthn": "dashboard.identity.forms.AddPasskeyForm"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = 1
# Emails come with the invitation, which proves them.
MFA_ALLOW_UNVERIFIED_EMAIL = True
# Passkeys want https, but for the machine's own "localhost".
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = LOCAL_MODE and not _SECURE
SOCIALACCOUNT_ADAPTER = "dashboard.identity.single_sign_on.SingleSignOnAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
# A form that is sent may not lead to another site (Content-Security-Policy), so single sign-on begins with a link.
SOCIALACCOUNT_LOGIN_ON_GET = True
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10
# Whom to ask for the records that prove whose an email domain is; none: this machine's name servers.
DNS_SERVERS = variables.name_servers("DNS_SERVERS")
SOCIALACCOUNT_OPENID_CONNECT_URL_PREFIX = ""
# Set by `bin/run` for the simulator that it starts itself, and by nobody else: that company is the demo, whose sign-ins
# take one click instead of a password. A system check holds it to that.
DEMO_SIGN_INS = variables.flag("DEMO_SIGN_INS", default=False)

# Over https a cookie belongs to this host alone: no other one of the domain can set it.
_PREFIX = "__Host-" if _SECURE else ""
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{_PREFIX}sessionid", f"{_PREFIX}csrftoken"
KNOWN_BROWSER_COOKIE_NAME = f"{_PREFIX}known"
SESSION_ENGINE = "dashboard.web.session_store"
SESSION_COOKIE_AGE = 60 * 60 * 12  # a working day, however busy
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _SECURE
SECURE_SSL_REDIRECT = _SECURE
SECURE_HSTS_SECONDS = 31_536_000 if _SECURE else 0
# Hosts below this one, and browsers' own lists of https sites, are for whoever owns the domain to decide about.
SECURE_HSTS_INCLUDE_SUBDOMAINS = variables.flag("HSTS_SUBDOMAINS", default=False) and _SECURE
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _SECURE else None
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# What one request may bring. Files of the console have a handler of their own (`dashboard.pages.console_import`).
LARGEST_UPLOAD = 50 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1_000
DATA_UPLOAD_MAX_NUMBER_FILES = 4
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_PERMISSIONS, FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o600, 0o700

# How often one reader may ask for what is costly, or a way to take everything along: so many in so many seconds.
# Calls of the API are counted by the token: enough for one program that pages through everything.
RATE_LIMITS = {
    "search": (60, 60),
    "export": (60, 600),
    "addresses": (30, 600),
    "api": (1_500, 60),
    "test_mail": (10, 600),
    "new_email": (10, 600),
    "domain_proof": (20, 600),
    "api_check": (10, 600),
}

# Words, time, files ---------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"  # each account shows its own zone

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "dashboard.charts.plotly_js.finder.PlotlyFinder",
    "dashboard.web.styles.StylesFinder",
    "dashboard.web.fonts.FontsFinder",
]
# Exports, evidence packs and what mailed links lead to (`dashboard.files`): web, workers and beat share the directory.
MEDIA_ROOT = BASE_DIR / (os.environ.get("MADE_FILES_DIR", "").strip() or VAR_DIR / "files")
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        # A file made anew takes the place of the one before.
        "OPTIONS": {"allow_overwrite": True},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Without one, scheduled mail stays due; what somebody waits for, such as invitations, is printed.
_EMAIL_URL = os.environ.get("EMAIL_URL", "").strip()
HAS_MAIL_SERVER = bool(_EMAIL_URL)
if HAS_MAIL_SERVER:
    globals().update(variables.email(_EMAIL_URL))
else:
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
DEFAULT_FROM_EMAIL = variables.sender("EMAIL_FROM", is_required=HAS_MAIL_SERVER and not LOCAL_MODE)
# Who vouches for the mail server's certificate, in place of those this machine trusts.
EMAIL_CA_FILE = variables.certificates("EMAIL_CA_FILE")
# Read by `requests` itself, on the way to KnowBe4 and to identity providers: a wrong one is said now.
variables.certificates("REQUESTS_CA_BUNDLE", takes_folder=True)

# Work in the background -----------------------------------------------------------------------------------------

CELERY_BROKER_URL = variables.celery_url(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A worker waits for a queue that is away as long as it takes; whoever queues does not: what it refuses is written down.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CHANNEL_ERROR_RETRY = True  # full or read-only, as Redis is for a moment at a fail-over, ended the worker
CELERY_BROKER_TRANSPORT_OPTIONS = {"max_retries": 0, "socket_connect_timeout": 2, "socket_timeout": 5}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "config.beat:Scheduler"
CELERY_BEAT_SCHEDULE = {
    # Each account has its own interval; the task looks which ones are due.
    # Due dates pass between syncs. Numbers are exact without it; it keeps what must be worked out anew small.
    "keep-exports": {"task": "dashboard.tasks.keep_exports", "schedule": 600.0, "options": {"expires": 590}},
    "send-due-mail": {"task": "dashboard.tasks.send_due_mail", "schedule": 60.0, "options": {"expires": 55}},
    "keep-evidence": {"task": "dashboard.tasks.keep_evidence", "schedule": 600.0, "options": {"expires": 590}},
    "watch": {"task": "dashboard.tasks.watch", "schedule": 60.0, "options": {"expires": 55}},
    "queue-again": {"task": "dashboard.tasks.queue_again", "schedule": 30.0, "options": {"expires": 25}},
    "advance-rollups": {"task": "dashboard.tasks.advance_rollups", "schedule": 300.0, "options": {"expires": 290}},
    "apply-retention": {
        "task": "dashboard.tasks.apply_retention",
        "schedule": crontab(hour=2, minute=40),
        "options": {"expires": 3600},
    },
    "start-due-syncs": {"task": "sync.tasks.start_due_syncs", "schedule": 60.0, "options": {"expires": 55}},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"()": "config.log_format.Formatter", "format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
        # Its package is installed only with what monitoring needs.
        **({"json": {"()": "config.json_log.Formatter"}} if IS_LOG_JSON else {}),
    },
    "filters": {"outages": {"()": "dashboard.web.outages.InShort"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "json" if IS_LOG_JSON else "plain",
            "filters": ["outages"],
        }
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        **{name: {"level": "INFO"} for name in ("sync", "dashboard", "access")},
        "django.server": {"level": "ERROR"},
    },
}
