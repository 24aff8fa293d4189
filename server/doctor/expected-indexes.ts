/** The indexes of the migrations, by the names that every engine has them under. */
export const expectedIndexes: readonly string[] = [
  "api_key_usage_hour",
  "api_keys_user_id",
  "audit_events_created_at",
  "audit_events_id",
  "audit_events_seq",
  "audit_events_type",
  "audit_events_user_id",
  "counters_expires_at",
  "ephemeral_expires_at",
  "linked_accounts_name",
  "linked_accounts_user_id",
  "outbox_due",
  "outbox_user_id",
  "passwords_user_id",
  "session_revocations_revoked_at",
  "session_revocations_user_id",
  "sessions_end",
  "sessions_user_id",
  "tiers_name",
  "users_created_at",
  "users_deleted_at",
  "users_email_key",
  "users_superuser",
  "users_tier",
  "users_username",
];

/** Those of one engine alone. */
export const ownIndexes: Readonly<Record<"sqlite" | "postgres" | "mysql", readonly string[]>> = {
  sqlite: ["audit_events_unsealed", "users_inactive"],
  postgres: ["audit_events_unsealed"],
  mysql: [],
};
