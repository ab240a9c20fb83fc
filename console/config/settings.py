"""One settings file for every place the console runs in.

Everything that differs between places is an environment variable, read here once and typed.
A wrong value fails at start, with the name of the variable. `docs/configuration.md` lists them.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

from console.config.embedded.addresses import embedded_addresses
from console.config.local_secret import local_secret

BASE_DIR = Path(__file__).resolve().parents[2]
env = environ.Env()

# Where things live -----------------------------------------------------------------------------
CONSOLE_VAR = Path(env.str("CONSOLE_VAR", default=str(BASE_DIR / "var"))).resolve()
EMBEDDED = embedded_addresses(CONSOLE_VAR)
IS_EMBEDDED_DATABASE = not env.str("DATABASE_URL", default="")
CONSOLE_SAMPLE = env.str("CONSOLE_SAMPLE", default="") or "auto"
IS_EMBEDDED_BROKER = not env.str("CELERY_BROKER_URL", default="")
DATABASE_URL = env.str("DATABASE_URL", default="") or EMBEDDED.database
DATABASE_LISTEN_URL = env.str("DATABASE_LISTEN_URL", default="") or DATABASE_URL
BROKER_URL = env.str("CELERY_BROKER_URL", default="") or EMBEDDED.broker
CACHE_URL = env.str("CACHE_URL", default="") or (EMBEDDED.cache if IS_EMBEDDED_BROKER else "")

# Addresses and secrets -------------------------------------------------------------------------
# Without TLS in front (the embedded default on loopback) cookies cannot be marked secure.
CONSOLE_URL = env.str("CONSOLE_URL", default="").rstrip("/")
LOCAL_URL = f"http://{env.str('HOST', default='') or '127.0.0.1'}:{env.str('PORT', default='') or '8000'}"
# Where the console's own workers reach its front door, as senders do.
FRONT_DOOR_URL = env.str("FRONT_DOOR_URL", default="").rstrip("/") or CONSOLE_URL or LOCAL_URL
IS_TLS = CONSOLE_URL.startswith("https://")
DEBUG = False
SECRET_KEY = env.str("SECRET_KEY", default="") or local_secret(CONSOLE_VAR)
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# Health checks on the machine itself say localhost, whatever people call the console.
ALLOWED_HOSTS = [*env.list("ALLOWED_HOSTS", default=[]), "localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = [CONSOLE_URL] if IS_TLS else []
USE_X_FORWARDED_HOST = env.bool("TRUST_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if USE_X_FORWARDED_HOST else None

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = IS_TLS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "__Host-session" if IS_TLS else "session"
SECURE_SSL_REDIRECT = IS_TLS and env.bool("REDIRECT_TO_TLS", default=True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if IS_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_TLS
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

OIDC_ISSUER = env.str("OIDC_ISSUER", default="").rstrip("/")
OIDC_ORIGIN = "{0.scheme}://{0.netloc}".format(urlsplit(OIDC_ISSUER)) if OIDC_ISSUER else ""

# Plotly appends one empty <style> element: the hash is that of the empty string.
EMPTY_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF, EMPTY_STYLE],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        # Single sign-on posts a form that is redirected to the issuer: browsers hold redirects to this too.
        "form-action": [
            SELF,
            *([OIDC_ORIGIN] if OIDC_ORIGIN else []),
            *env.list("FORM_ACTION_HOSTS", default=[]),
        ],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# The house -------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "console.lib",
    "console.accounts",
    "console.fleet",
    "console.notifications",
    "console.feeds",
    "console.oncall",
    "console.runbooks",
    "console.costs",
    "console.interruptions",
    "console.slo",
    "console.alerts",
    "console.ingest",
    "console.dashboards",
    "console.drills",
    "console.config",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django_htmx",
    "template_partials",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "console.accounts.middleware.PersonalSettingsMiddleware",
    "console.lib.refusals.RefusalMiddleware",
]

ROOT_URLCONF = "console.config.urls"
ASGI_APPLICATION = "console.config.asgi.application"
WSGI_APPLICATION = "console.config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "console.dashboards.strip.status_strip",
            ],
        },
    }
]

# Database --------------------------------------------------------------------------------------


def _database(url: str) -> dict[str, Any]:
    parts = {key: value for key, value in conninfo_to_dict(url).items() if value is not None}
    known = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    options: dict[str, Any] = {key: value for key, value in parts.items() if key not in known}
    options |= {"pool": {"min_size": 1, "max_size": env.int("DATABASE_POOL_SIZE", default=6), "timeout": 10}}
    options |= {"server_side_binding": False, "application_name": "spot-console"}
    return {
        "ENGINE": "django.db.backends.postgresql",
        **{name: parts.get(key, "") for key, name in known.items()},
        "OPTIONS": options,
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,  # the pool gives out no connection that a restart of the database cut
    }


DATABASES = {"default": _database(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

if CACHE_URL:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": CACHE_URL}}
else:
    CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "console_cache"}
    }

# Accounts --------------------------------------------------------------------------------------
ROLES = ("viewer", "responder", "manager", "admin")


def _role(variable: str, role: str) -> str:
    if role and role not in ROLES:
        raise ImproperlyConfigured(f"{variable}: {role} is not a role. Use one of {', '.join(ROLES)}.")
    return role


def _group_roles(text: str) -> dict[str, str]:
    """`sre=responder,platform=admin`, or JSON where a group's name holds a comma or an equals sign."""
    try:
        pairs = json.loads(text) if text.startswith("{") else dict(p.split("=") for p in text.split(",") if p)
    except ValueError as error:
        raise ImproperlyConfigured("OIDC_GROUP_ROLES: write group=role,group=role or JSON.") from error
    return {group.strip(): _role("OIDC_GROUP_ROLES", str(role).strip()) for group, role in pairs.items()}


AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "console.accounts.adapters.InvitationOnlyAdapter"
SOCIALACCOUNT_ADAPTER = "console.accounts.adapters.GroupRoleAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"  # an address is proven by the invitation that was sent to it
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = False  # what changed is in the audit trail
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,5/5m/key"}
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if USE_X_FORWARDED_HOST else 0
MFA_ADAPTER = "console.accounts.adapters.SealedSecretsAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Spot console"
MFA_TOTP_TOLERANCE = 1  # a code typed as its half minute ends still counts
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_TLS  # browsers allow passkeys on localhost without TLS
SOCIALACCOUNT_ONLY = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
OIDC_NAME = env.str("OIDC_NAME", default="single sign-on")
OIDC_GROUPS_CLAIM = env.str("OIDC_GROUPS_CLAIM", default="groups")
OIDC_GROUP_ROLES = _group_roles(env.str("OIDC_GROUP_ROLES", default=""))
OIDC_DEFAULT_ROLE = _role("OIDC_DEFAULT_ROLE", env.str("OIDC_DEFAULT_ROLE", default=""))
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {}
if OIDC_ISSUER:
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "oidc",
                "name": OIDC_NAME,
                "client_id": env.str("OIDC_CLIENT_ID"),
                "secret": env.str("OIDC_CLIENT_SECRET"),
                "settings": {
                    "server_url": OIDC_ISSUER,
                    "scope": env.list("OIDC_SCOPES", default=["openid", "profile", "email"]),
                },
            }
        ],
    }

# E-mail ----------------------------------------------------------------------------------------
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="spot-console@localhost")
HAS_MAIL_SERVER = bool(env.str("EMAIL_URL", default=""))
if HAS_MAIL_SERVER:
    vars().update(env.email_url("EMAIL_URL"))
else:
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

# Pages -----------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = CONSOLE_VAR / "static"
WHITENOISE_USE_FINDERS = not STATIC_ROOT.is_dir()
# Files that nobody collected are served from where they lie; that is no news.
warnings.filterwarnings("ignore", message="No directory at", category=UserWarning)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_ROOT.is_dir()
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
SILENCED_SYSTEM_CHECKS: list[str] = []

# Work ------------------------------------------------------------------------------------------
CONSOLE_WORKERS = env.int("CONSOLE_WORKERS", default=2)
CONSOLE_SAMPLE = env.str("CONSOLE_SAMPLE", default="auto")
CONSOLE_ADMIN_EMAIL = env.str("CONSOLE_ADMIN_EMAIL", default="")
CONSOLE_ADMIN_PASSWORD = env.str("CONSOLE_ADMIN_PASSWORD", default="")
# Secrets that must be read back (senders' keys, second factors) are encrypted with a key derived from SECRET_KEY;
# those of the fallbacks open what was sealed before the key was changed.
SECRETS_KEYS = [
    hashlib.sha256(b"spot-console secrets:" + key.encode()).digest()
    for key in (SECRET_KEY, *SECRET_KEY_FALLBACKS)
]

# Logs: one JSON object a line ------------------------------------------------------------------
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "console.lib.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "console": {"level": LOG_LEVEL},
        "django.request": {"level": "ERROR"},
        "celery": {"level": "WARNING"},
        "uvicorn": {"level": "WARNING", "handlers": ["stderr"], "propagate": False},
    },
}
