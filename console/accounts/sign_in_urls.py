"""The pages of django-allauth that the console opens: signing in and out, one's password and second factors.

Its own list has more (e-mail changes, sign-up by passkey), which would be doors nobody watches.
"""

from __future__ import annotations

from allauth.account import views as account
from allauth.socialaccount import views as socialaccount
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from console.accounts.views.sign_on import sign_on_start

urlpatterns = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("signup/", account.signup, name="account_signup"),
    path("email/", RedirectView.as_view(pattern_name="accounts:personal_settings"), name="account_email"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("password/set/", account.password_set, name="account_set_password"),
    path("password/reset/", account.password_reset, name="account_reset_password"),
    path("password/reset/done/", account.password_reset_done, name="account_reset_password_done"),
    path(
        "password/reset/key/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("sessions/", include("allauth.usersessions.urls")),
    path("2fa/", include("allauth.mfa.urls")),
    path("sign-on/", socialaccount.connections, name="socialaccount_connections"),
    path("sign-on/cancelled/", socialaccount.login_cancelled, name="socialaccount_login_cancelled"),
    path("sign-on/error/", socialaccount.login_error, name="socialaccount_login_error"),
    path("sign-on/signup/", socialaccount.signup, name="socialaccount_signup"),
    path("oidc/<str:provider_id>/login/", sign_on_start, name="openid_connect_login"),
    path("oidc/<str:provider_id>/login/callback/", openid_connect.callback, name="openid_connect_callback"),
]
