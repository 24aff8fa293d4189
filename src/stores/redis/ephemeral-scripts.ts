import { type Script, script } from "./link.ts";
import { luaNumber } from "./lua.ts";

// Values are `<end> <value>`, counters `<taken> <end>`: ends are compared with the caller's clock, the server's own expiry
// only clears away.

/** KEYS: value. ARGV: now. */
export const takeValueScript: Script = script(`
local text = redis.call('GET', KEYS[1])
if not text then return false end
redis.call('DEL', KEYS[1])
local ends, value = string.match(text, '^(%d+) (.*)$')
return tonumber(ends) > tonumber(ARGV[1]) and value
`);

/** KEYS: value. ARGV: now, text, ttl. Answers 1 where it was added. */
export const addScript: Script = script(`
local there = redis.call('GET', KEYS[1])
if there and tonumber(string.match(there, '^%d+')) > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
`);

/**
 * KEYS: counters. ARGV: now, then limit, end of a window that begins now and ttl for each. Takes one attempt from all of
 * them or from none. Answers the number of the exhausted counter that frees last and when it does; or 0, and for each counter
 * when its window ends and how many were taken from it.
 */
export const reserveScript: Script = script(`${luaNumber}
local now, counters, last, frees = tonumber(ARGV[1]), {}, 0, 0
for i, key in ipairs(KEYS) do
  local limit, ends, ttl = tonumber(ARGV[i * 3 - 1]), tonumber(ARGV[i * 3]), ARGV[i * 3 + 1]
  local c = counters[key]
  if not c then
    local text = redis.call('GET', key)
    local taken, till = string.match(text or '', '^(%d+) (%d+)$')
    if taken and tonumber(till) > now then
      c = { taken = tonumber(taken), ends = tonumber(till), isNew = false }
    else
      c = { taken = 0, ends = ends, ttl = ttl, isNew = true }
    end
    counters[key] = c
  end
  if c.taken >= limit and c.ends > frees then last, frees = i, c.ends end
  c.taken = c.taken + 1
end
if last > 0 then return { last, frees } end
local answer = { 0 }
for i, key in ipairs(KEYS) do
  local c = counters[key]
  local text = number(c.taken) .. ' ' .. number(c.ends)
  if c.isNew then redis.call('SET', key, text, 'PX', c.ttl) else redis.call('SET', key, text, 'KEEPTTL') end
  answer[i * 2] = c.ends
  answer[i * 2 + 1] = c.taken
end
return answer
`);

/** KEYS: counters. ARGV: now. Answers the first exhausted one as {@link reserveScript} does, and takes nothing. ARGV: now, limits. */
export const peekScript: Script = script(`
local text = redis.call('GET', KEYS[1])
local taken, till = string.match(text or '', '^(%d+) (%d+)$')
if taken and tonumber(till) > tonumber(ARGV[1]) and tonumber(taken) >= tonumber(ARGV[2]) then return tonumber(till) end
return 0
`);

/** KEYS: counters. ARGV: now, and the end of the window that is meant or nothing. */
export const refundScript: Script = script(`
for _, key in ipairs(KEYS) do
  local taken, till = string.match(redis.call('GET', key) or '', '^(%d+) (%d+)$')
  taken = tonumber(taken or 0)
  local isMeant = taken > 0 and tonumber(till) > tonumber(ARGV[1]) and (not ARGV[2] or ARGV[2] == till)
  if isMeant and taken > 1 then
    redis.call('SET', key, string.format('%.0f', taken - 1) .. ' ' .. till, 'KEEPTTL')
  elseif isMeant then
    redis.call('DEL', key)
  end
end
return 1
`);
