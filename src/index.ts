// Putting it together

// What applications call
export type { ApiKeys } from "./api/api-keys.ts";
export type { EventFollowers, FollowOptions } from "./api/followers.ts";
export type { Forms } from "./api/forms.ts";
export type { SessionInfo, Sessions } from "./api/sessions.ts";
export type { Tickets } from "./api/tickets.ts";
export type { PendingRegistration, Users } from "./api/users.ts";
export type { Visit } from "./api/visit.ts";
export { type Auth, type AuthOptions, createAuth } from "./auth.ts";
export type { ConfigOptions } from "./config/options.ts";
export { isLoopback } from "./config/origin.ts";
export type { Config } from "./config.ts";
// Records
export type { ApiKey, ApiKeyChanges, ApiKeyLimits, ApiKeyUsage } from "./domain/api-key.ts";
export type { AuditCheckpoint, AuditRow, PersonalField } from "./domain/audit.ts";
export type { Credential, EncodedPassword, PasswordCredential } from "./domain/credential.ts";
export type {
  Actor,
  AuthEvent,
  EventBase,
  EventOf,
  EventOrigin,
  EventPayloads,
  EventType,
  RefusalType,
} from "./domain/event.ts";
export type { Explanation, OwnedResource } from "./domain/explain.ts";
export { type Identifier, identifier } from "./domain/identifier.ts";
export {
  type Anonymous,
  type Principal,
  type SignedIn,
  signedInAs,
} from "./domain/principal.ts";
export type { RefreshFamily } from "./domain/refresh-family.ts";
export { type Finding, type Rights, type Roles, type Rule, rights } from "./domain/rights.ts";
export type { AuthenticationMethod, Session, SessionBag, SessionToken } from "./domain/session.ts";
export type { Tier, TierLimit } from "./domain/tier.ts";
export {
  foreignUser,
  type Permission,
  type Register,
  type RevokedToken,
  type Role,
  type User,
  type UserChanges,
  type UserData,
  type UserStatus,
} from "./domain/user.ts";
// Errors
export {
  AuthError,
  type AuthErrorOptions,
  type ErrorCode,
  type ErrorRow,
  errorTable,
  type FieldError,
} from "./errors.ts";
// Features
export { type ApiKeysOptions, apiKeys } from "./features/api-keys.ts";
export type { Feature, Installed } from "./features/feature.ts";
export { type Passwords, type PasswordsOptions, passwords } from "./features/passwords.ts";
export { tickets } from "./features/tickets.ts";
export { type TierLimitsOptions, tierLimits } from "./features/tier-limits.ts";
export type { ProfileChanged, ProfileChanges } from "./flows/account/profile.ts";
export type { Registered, Registration } from "./flows/account/register.ts";
export type { CreatedApiKey, NewApiKey, RotateApiKey } from "./flows/api-keys/api-keys.ts";
export type { ApiKeyInfo, UsagePage, UsageQuery } from "./flows/api-keys/reads.ts";
export type { LoggedOut } from "./flows/sessions/logout.ts";
export type { StartOptions, SweepOptions } from "./flows/sessions/sessions.ts";
export type { Login } from "./flows/sign-in/login.ts";
export type { SignIn } from "./flows/sign-in/start-session.ts";
export type { Ticket } from "./flows/tickets.ts";
// Guards
export { fresh } from "./guards/fresh.ts";
export {
  type AnyoneOptions,
  all,
  any,
  anyone,
  guard,
  signedIn,
  signedInToWrite,
  skipIfAuthenticated,
  via,
  type WhoOptions,
} from "./guards/guards.ts";
export { type RateLimitOptions, rateLimit } from "./guards/rate-limit.ts";
export { type OwnerOptions, owner, permission, role, superuser, tier } from "./guards/rights.ts";
export { type Body, readBody } from "./http/body.ts";
export { type ClientIp, clientIp } from "./http/client-info.ts";
export { nextPath } from "./http/next-path.ts";
export { wantsPage } from "./http/wants-page.ts";
export { type Argon2idCost, argon2id } from "./password/argon2id.ts";
export { type BcryptBounds, bcrypt } from "./password/bcrypt.ts";
export {
  type BreachedPasswords,
  type BreachedPasswordsOptions,
  breachedPasswords,
} from "./password/breached.ts";
export type { CompositionRules } from "./password/composition.ts";
export type { Hashers } from "./password/hashing.ts";
export {
  type HashPasswordInput,
  hashPassword,
  type NeedsRehashInput,
  needsRehash,
  type VerifyPasswordInput,
  verifyPassword,
} from "./password/library.ts";
export { type Pbkdf2Bounds, pbkdf2 } from "./password/pbkdf2.ts";
export type { PolicyOptions } from "./password/policy.ts";
export type { ThreadsOptions } from "./password/threads.ts";
// The request path
export type { Allowed, Refused, Verdict } from "./pipeline/check.ts";
export type { RouteLimit } from "./pipeline/limit.ts";
export type { Bound, Handler, Protect } from "./pipeline/protect.ts";
export type { ErrorAnswer, OnError } from "./pipeline/respond.ts";
export type { HeaderSink } from "./pipeline/seal.ts";
// Ports: the contracts that stores, strategies, guards and the rest of a house of your own satisfy
export type { SessionChange, StartedSession } from "./ports/change.ts";
export type { CallOff, Clock, Random, TimerOptions, Timers } from "./ports/clock.ts";
export type {
  DataWrite,
  DetachedSession,
  DetachedSessions,
  OwnerKey,
  OwnerReading,
  OwnerRecords,
  RefreshWrite,
} from "./ports/detached-sessions.ts";
export type {
  ApiKeyUses,
  DirectoryStore,
  OwnedApiKey,
  Revocation,
  SessionOwner,
  UserWithPassword,
} from "./ports/directory-store.ts";
export type { EphemeralStore, Limit, Reservation } from "./ports/ephemeral-store.ts";
export type {
  Decision,
  DenialCode,
  Guard,
  GuardContext,
  Limiting,
  Open,
  RequestLimit,
  Turn,
} from "./ports/guard.ts";
export type {
  Hasher,
  HasherOptions,
  HasherWork,
  HashingCall,
  LoadHasher,
  PasswordHashing,
  PasswordPolicy,
  Verification,
} from "./ports/hasher.ts";
export type { Intent, Policy } from "./ports/policy.ts";
export type { AuthRequest, ClientInfo, RouteRequest } from "./ports/request.ts";
export type { InputSchema, JsonSchema, Reply, Route, RouteCall } from "./ports/route.ts";
export type {
  Background,
  Draft,
  Events,
  KeyLabel,
  Keys,
  Log,
  PasswordServices,
  RefusalDraft,
  Services,
} from "./ports/services.ts";
export type { SessionData } from "./ports/session-data.ts";
export type { FoundSession, SessionStore, Touch } from "./ports/session-store.ts";
export type { SealedSession, SealedSessions, SessionTokenFormat } from "./ports/session-token.ts";
export type { Awaitable, Committed, Engine, Port, Refusal, Report, StoreCall, Write } from "./ports/store.ts";
export type { Stores } from "./ports/stores.ts";
export type { Answered, Outcome, Stakes, Strategy } from "./ports/strategy.ts";
export type { End, Operation, Telemetry } from "./ports/telemetry.ts";
export type { InSessionContext, SignedInContext, VisitContext, Visits } from "./ports/visit.ts";
export type { Listener } from "./services/events.ts";
export type { EventSubscriptions } from "./services/listeners.ts";
// Stores
export { memory } from "./stores/memory.ts";
export { memorySessions } from "./stores/memory-sessions.ts";
export { type SplitOptions, split } from "./stores/split.ts";
export type { MigrationStatus } from "./stores/sql/migration-status.ts";
export { SchemaError } from "./stores/sql/schema-error.ts";
export {
  type SqliteMigrations,
  type SqliteOptions,
  type SqliteStores,
  sqlite,
} from "./stores/sqlite/sqlite.ts";
