import { fenceSeconds, ownerSeconds } from "../../ports/detached-sessions.ts";
import { type Script, script } from "./link.ts";
import { luaClock, luaNumber, luaReign } from "./lua.ts";
import { luaMark } from "./session-scripts.ts";

const fenceMs = fenceSeconds * 1000;
const ownerMs = ownerSeconds * 1000;
/** Longer than the copy that it leads to. */
const whereaboutsMs = ownerMs + fenceMs;

// Fences are a hash: `f:<name>` holds when each was put up and under which primary, `last` when the latest was, `version` the
// highest that anybody tried to publish. It is gone when the last fence has fallen.
//
// A server whose memory is full refuses a script's first write where that takes memory, and none after it. Without a fence
// nothing ends, so what sessions end by begins with a write that takes none: a DEL, an HDEL, a PEXPIRE. The flag `allow-oom`
// would say so, and is an error of syntax before Redis 7.
// https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/BestPractices.Clients.Redis.LuaScripts.html
const luaFences = `${luaNumber}${luaClock}${luaReign}${luaMark}
local function stamp(now) return string.format('%.3f', now) end
local function putUp(name, now, replid)
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[1], 'f:' .. name, stamp(now) .. ' ' .. replid, 'last', stamp(now))
  redis.call('PEXPIRE', KEYS[1], ${fenceMs})
end
local function isStanding(value, now)
  local at = tonumber(string.match(value, '^%S+'))
  return now - at < ${fenceMs}
end
local replid = reign()
if not replid then return redis.error_reply(notPrimary) end
local now = clock()
`;

/** KEYS: fences, copy. ARGV: name. */
export const fenceScript: Script = script(`${luaFences}
putUp(ARGV[1], now, replid)
return 1
`);

/** KEYS: fences. ARGV: name. */
export const liftScript: Script = script(`
return redis.call('HDEL', KEYS[1], 'f:' .. ARGV[1])
`);

/**
 * KEYS: fences, copy, index. ARGV: own fence or nothing, clock of the reading or nothing, version, JSON, name for a fence that
 * nobody lifts. Answers 1 where the copy is kept.
 *
 * What the last seconds of a lost primary knew may be missing here: fences, above all. So a fence of another reign is none,
 * and the first copy of a reign waits until everybody who had a fence under the one before is through.
 */
export const publishScript: Script = script(`${luaFences}
local fence, readAt, version, json, lasting = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4], ARGV[5]
local held = redis.call('HGETALL', KEYS[1])
local fields, others = {}, false
for i = 1, #held, 2 do
  fields[held[i]] = held[i + 1]
  local isOther = string.sub(held[i], 1, 2) == 'f:' and held[i] ~= 'f:' .. fence
  if isOther and isStanding(held[i + 1], now) then others = true end
end
local mark = redis.call('ZSCORE', KEYS[3], '')
local copy = redis.call('GET', KEYS[2])
local copied = copy and tonumber(string.match(copy, '^%S+ (%d+) ')) or 0

if fence ~= '' then
  local at, of = string.match(fields['f:' .. fence] or '', '^(%S+) (%S+)$')
  redis.call('HDEL', KEYS[1], 'f:' .. fence)
  local age = at and now - tonumber(at) or -1
  if of ~= replid or age < 0 or age >= ${fenceMs / 2} then
    putUp(lasting, now, replid)
    return 0
  end
else
  local age = now - readAt
  if age < 0 or age >= ${fenceMs / 2} then return 0 end
  -- Read before a change that is over by now.
  if readAt <= tonumber(fields.last or '0') then return 0 end
end
if version < math.max(copied, tonumber(fields.version or '0')) then return 0 end
if others then
  redis.call('HSET', KEYS[1], 'version', number(version))
  return 0
end
if mark and tonumber(mark) ~= markOf(replid) then
  redis.call('ZADD', KEYS[3], 'XX', number(markOf(replid)), '')
  putUp(lasting, now, replid)
  return 0
end
-- A check found a session, and now there is none: what it read is of another reign, or of no use.
if not mark and fence == '' then return 0 end
redis.call('SET', KEYS[2], replid .. ' ' .. number(version) .. ' ' .. json, 'PX', ${ownerMs})
return 1
`);

/**
 * KEYS: whereabouts. ARGV: slot tag, own fence or nothing. Notes where a copy is about to lie; 0 where none may be made now.
 * A copy without a fence is for the sake of speed: a server whose memory is full refuses it.
 */
export const noteScript: Script = script(`
local there = redis.call('GET', KEYS[1])
if there and string.sub(there, -1) == '!' then return 0 end
if ARGV[2] ~= '' then redis.call('PEXPIRE', KEYS[1], ${whereaboutsMs}) end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ${whereaboutsMs})
return 1
`);

/** KEYS: whereabouts. Answers the slot tag or nothing, and lets nobody note one until every reading of before is too old. */
export const forgetScript: Script = script(`
local tag = string.match(redis.call('GET', KEYS[1]) or '', '^[^!]*')
redis.call('PEXPIRE', KEYS[1], ${whereaboutsMs})
redis.call('SET', KEYS[1], tag .. '!', 'PX', ${fenceMs})
return tag
`);
