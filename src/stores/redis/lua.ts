// Lua that several scripts begin with. All of them read first and write last: a command that fails, as one may while a
// cluster moves a slot, then leaves nothing half-done.

/** `number`: whole numbers as text. Lua's own way writes large ones with an exponent. */
export const luaNumber = `
local function number(value) return string.format('%.0f', value) end
`;

/** `clock`: the server's clock in ms, three decimals. */
export const luaClock = `
local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + time[2] / 1000
end
`;

/**
 * `reign`: the replication id of this primary, 40 characters; it changes whenever another server takes over or this one
 * restarts. \`false\` on a replica. The second value tells whether it may answer for others: not where it knows of no id, nor
 * where it is set to write only with replicas (`min-replicas-to-write`) and has lost every one, since another primary may
 * then have been chosen.
 */
export const luaReign = `
local function reign()
  local info = redis.call('INFO', 'replication')
  if not string.find(info, 'role:master', 1, true) then return false, false end
  local _, at = string.find(info, 'master_replid:', 1, true)
  if not at then return string.rep('-', 40), false end
  local cut = string.find(info, 'min_slaves_good_slaves:0', 1, true)
  return string.sub(info, at + 1, at + 40), not cut
end
local notPrimary = 'READONLY Latchkey asks primaries only; this server is a replica'
`;

/** `parse`, `write`: a session's text to a table and back. `slot`: what all keys of a session's slot begin with. */
export const luaSession = `
local function parse(text)
  local used, idle, ends, generation, version, user, rest, data =
    string.match(text, '^(%d+) (%d+) (%d+) (%d+) (%d+)\\n([^\\n]*)\\n([^\\n]*)\\n(.*)$')
  return {
    used = tonumber(used), idle = tonumber(idle), ends = tonumber(ends), generation = tonumber(generation),
    version = tonumber(version), user = user, rest = rest, data = data
  }
end
local function write(s)
  local numbers = string.format('%.0f %.0f %.0f %.0f %.0f', s.used, s.idle, s.ends, s.generation, s.version)
  return table.concat({ numbers, s.user, s.rest, s.data }, '\\n')
end
local function isLive(s, now) return now < s.idle and now < s.ends end
local function slot(key) return string.sub(key, 1, -19) end
local function idRest(key) return string.sub(key, -16) end
`;
