import { expiredKeepSeconds } from "../../ports/detached-sessions.ts";
import { type Script, script } from "./link.ts";
import { luaClock, luaNumber, luaReign, luaSession } from "./lua.ts";

const keepMs = expiredKeepSeconds * 1000;

/**
 * The mark of a reign in a user's index: a member without a name, whose score is larger than any time. It tells under which
 * primary the user's records were last known to be whole.
 */
export const luaMark = `
local function markOf(replid) return 2251799813685248 + (tonumber(string.sub(replid, 1, 12), 16) or 0) end
`;

/** `outlive`: lets an index live at least as long as the last of its sessions. */
const luaOutlive = `
local function outlive(index, ttl)
  if redis.call('PTTL', index) < ttl then redis.call('PEXPIRE', index, number(ttl)) end
end
`;

/** KEYS: session. Answers its text, the copy of its owner where that may be believed, and the server's clock. */
export const findScript: Script = script(`${luaClock}${luaReign}
local replid, isSure = reign()
if not replid then return redis.error_reply(notPrimary) end
local text = redis.call('GET', KEYS[1])
if not text then return false end
local now = string.format('%.3f', clock())
local user = string.match(text, '\\n([^\\n]*)\\n')
if user == '' or not isSure then return { text, false, now } end
-- While a cluster moves the slot, the copy may be there already: then the directory is asked.
local copy = redis.pcall('GET', string.sub(KEYS[1], 1, -19) .. 'o:' .. user)
if type(copy) ~= 'string' or string.sub(copy, 1, 40) ~= replid then return { text, false, now } end
return { text, copy, now }
`);

/** KEYS: index. Answers the end of each id and the text of its session, in turns. */
export const listScript: Script = script(`
local found = {}
local base = string.sub(KEYS[1], 1, -(#ARGV[1] + 3))
for _, rest in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local text = rest ~= '' and redis.call('GET', base .. 's:' .. rest)
  if text then
    found[#found + 1] = rest
    found[#found + 1] = text
  end
end
return found
`);

/**
 * KEYS: session, index (a visitor's has none). ARGV: text, now, cap (at least 1). Answers what the cap evicted, in turns. Sent
 * twice, as drivers may, it is done once.
 */
export const insertScript: Script = script(`${luaNumber}${luaReign}${luaSession}${luaMark}${luaOutlive}
local text, now, cap = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local there = redis.call('GET', KEYS[1])
if there == text then return {} end
if there then return redis.error_reply('LATCHKEY there is a session of this id already') end
local own = parse(text)
local goneAt = math.min(own.idle, own.ends) + ${keepMs}
local ttl = math.max(1, goneAt - now)
local live, evicted, replid = {}, {}, nil
if KEYS[2] then
  replid = reign()
  if not replid then return redis.error_reply(notPrimary) end
end
if KEYS[2] and redis.call('ZCARD', KEYS[2]) >= cap then
  for _, rest in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
    local other = rest ~= '' and redis.call('GET', slot(KEYS[1]) .. 's:' .. rest)
    local s = other and parse(other)
    if s and isLive(s, now) and s.generation == own.generation then
      live[#live + 1] = { rest = rest, text = other, used = s.used }
    end
  end
  table.sort(live, function(a, b)
    if a.used == b.used then return a.rest < b.rest end
    return a.used < b.used
  end)
end
redis.call('SET', KEYS[1], text, 'PX', number(ttl))
if not KEYS[2] then return evicted end
for i = 1, #live + 1 - cap do
  if not live[i] then break end
  redis.call('DEL', slot(KEYS[1]) .. 's:' .. live[i].rest)
  redis.call('ZREM', KEYS[2], live[i].rest)
  evicted[#evicted + 1] = live[i].rest
  evicted[#evicted + 1] = live[i].text
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', number(now))
redis.call('ZADD', KEYS[2], number(goneAt), idRest(KEYS[1]))
redis.call('ZADD', KEYS[2], 'NX', number(markOf(replid)), '')
outlive(KEYS[2], ttl)
return evicted
`);

/** KEYS: sessions of one slot. Deletes them and answers the text of each that was there, \`false\` for the others. */
export const takeScript: Script = script(`${luaSession}
local taken = {}
for i, key in ipairs(KEYS) do taken[i] = redis.call('GET', key) end
for i, key in ipairs(KEYS) do
  local user = taken[i] and parse(taken[i]).user
  if user then redis.call('DEL', key) end
  if user and user ~= '' then redis.call('ZREM', slot(key) .. 'i:' .. user, idRest(key)) end
end
return taken
`);

/** KEYS: session. ARGV: now, version, data. Answers 1 where it was done. */
export const setDataScript: Script = script(`${luaSession}
local text = redis.call('GET', KEYS[1])
if not text then return 0 end
local s = parse(text)
if not isLive(s, tonumber(ARGV[1])) or s.version ~= tonumber(ARGV[2]) then return 0 end
s.version = s.version + 1
s.data = ARGV[3]
redis.call('SET', KEYS[1], write(s), 'KEEPTTL')
return 1
`);

/**
 * KEYS: session. ARGV: now, number of the token before or nothing, the tokens, use. Answers 1 where it was done. The tokens are
 * the last value of the third line, and the only list that it can end with.
 */
export const refreshScript: Script = script(`${luaSession}
local text = redis.call('GET', KEYS[1])
if not text then return 0 end
local s = parse(text)
if not isLive(s, tonumber(ARGV[1])) then return 0 end
local before, last = string.match(s.rest, '^(.*),%["[%w_-]+",(%d+),%d+%]%]$')
if (last or '') ~= ARGV[2] then return 0 end
s.rest = (before or string.sub(s.rest, 1, -2)) .. ',' .. ARGV[3] .. ']'
s.used = math.max(s.used, tonumber(ARGV[4]))
redis.call('SET', KEYS[1], write(s), 'KEEPTTL')
return 1
`);

/** KEYS: session. ARGV: now, use, idle limit. */
export const touchScript: Script = script(`${luaNumber}${luaSession}${luaOutlive}
local now = tonumber(ARGV[1])
local text = redis.call('GET', KEYS[1])
if not text then return 0 end
local s = parse(text)
if not isLive(s, now) then return 0 end
s.used = math.max(s.used, tonumber(ARGV[2]))
s.idle = math.max(s.idle, tonumber(ARGV[3]))
local goneAt = math.min(s.idle, s.ends) + ${keepMs}
-- First, so that a server whose memory is full takes the text, which is no longer than before.
redis.call('PEXPIRE', KEYS[1], number(goneAt - now))
redis.call('SET', KEYS[1], write(s), 'PX', number(goneAt - now))
if s.user == '' then return 1 end
local index = slot(KEYS[1]) .. 'i:' .. s.user
redis.call('ZADD', index, 'XX', number(goneAt), idRest(KEYS[1]))
if redis.call('EXISTS', index) == 1 then outlive(index, goneAt - now) end
return 1
`);
