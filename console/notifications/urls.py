"""Pages about what goes out: channels, deliveries, and how a person is told."""

from __future__ import annotations

from django.urls import path

from console.notifications.views import channels, deliveries, personal

app_name = "notifications"

urlpatterns = [
    path("settings/channels/", channels.channel_list, name="channel_list"),
    path("settings/channels/new/<str:kind>/", channels.channel_new, name="channel_new"),
    path("settings/channels/<int:pk>/", channels.channel_edit, name="channel_edit"),
    path("settings/channels/<int:pk>/test/", channels.channel_test, name="channel_test"),
    path("settings/channels/<int:pk>/archive/", channels.channel_archive, name="channel_archive"),
    path("settings/channels/hosts/<int:pk>/forbid/", channels.host_forbid, name="host_forbid"),
    path("settings/deliveries/", deliveries.delivery_list, name="delivery_list"),
    path("settings/deliveries/<int:pk>/", deliveries.delivery_detail, name="delivery_detail"),
    path("me/notifications/", personal.personal_notifications, name="personal_notifications"),
    path("me/notifications/test/", personal.test_page, name="test_page"),
    path("me/notifications/board/", personal.board_notice, name="board_notice"),
    path("me/notifications/methods/new/<str:kind>/", personal.method_new, name="method_new"),
    path("me/notifications/methods/<int:pk>/verify/", personal.method_verify, name="method_verify"),
    path("me/notifications/methods/<int:pk>/code/", personal.method_code, name="method_code"),
    path("me/notifications/methods/<int:pk>/test/", personal.method_test, name="method_test"),
    path("me/notifications/methods/<int:pk>/bundling/", personal.method_bundling, name="method_bundling"),
    path("me/notifications/methods/<int:pk>/remove/", personal.method_remove, name="method_remove"),
    path("me/notifications/rules/", personal.rule_add, name="rule_add"),
    path("me/notifications/rules/<int:pk>/remove/", personal.rule_remove, name="rule_remove"),
    path("me/notifications/quiet/", personal.quiet_add, name="quiet_add"),
    path("me/notifications/quiet/<int:pk>/remove/", personal.quiet_remove, name="quiet_remove"),
]
