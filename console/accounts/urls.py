"""Pages about people: oneself, settings, invitations, tokens, the audit trail."""

from __future__ import annotations

from django.urls import path

from console.accounts.views import audit, invitations, people, personal, saved_views, tokens

app_name = "accounts"

urlpatterns = [
    path("me/", personal.personal_settings, name="personal_settings"),
    path("views/", saved_views.view_list, name="view_list"),
    path("views/<int:pk>/<slug:verb>/", saved_views.view_act, name="view_act"),
    path("settings/", people.person_list, name="person_list"),
    path("settings/people/<int:pk>/role/", people.person_role, name="person_role"),
    path("settings/people/<int:pk>/deactivate/", people.person_deactivate, name="person_deactivate"),
    path("settings/people/<int:pk>/reactivate/", people.person_reactivate, name="person_reactivate"),
    path("settings/people/<int:pk>/password/", people.person_password_link, name="person_password_link"),
    path("settings/invitations/", invitations.invitation_list, name="invitation_list"),
    path(
        "settings/invitations/<int:pk>/withdraw/", invitations.invitation_withdraw, name="invitation_withdraw"
    ),
    path("settings/tokens/", tokens.token_list, name="token_list"),
    path("settings/tokens/<int:pk>/revoke/", tokens.token_revoke, name="token_revoke"),
    path("settings/sign-in/", people.sign_in_state, name="sign_in_state"),
    path("audit/", audit.audit_list, name="audit_list"),
    path("join/<str:secret>/", invitations.invitation_accept, name="invitation_accept"),
]
