export { type SessionCache, sessionCache } from "../session-cache.ts";
