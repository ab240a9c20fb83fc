"""Who may do what, and who did what: users, roles, invitations, API tokens and the audit trail."""
