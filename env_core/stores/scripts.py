"""What the shared store runs inside Redis: one script for each method, each carried out whole or not at all.

No script writes before it has checked everything, because what was written before an error would stay. A script that
finds the nonce of its own call has been carried out before, and says what it said then.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple


class Script(NamedTuple):
    """A script in Lua, and the name by which a server knows it that has run it once."""

    text: str
    sha: str


# A touch is written down once a second, as a write for every look would go to the disk and to replicas.
_SHARED = """
local PREFIX = 'cloud-incident:1:'
local TOUCHED, ENDED, ENDS = PREFIX .. 'touched', PREFIX .. 'ended', PREFIX .. 'ends'
local function episode(id) return PREFIX .. 'episode:' .. id end
local function events(id) return PREFIX .. 'events:' .. id end
local function owned(owner) return PREFIX .. 'owned:' .. owner end
local function tell_time(given)
  if given ~= '' then return given end
  local time = redis.call('TIME')
  return time[1] .. '.' .. string.format('%06d', time[2])
end
local function touch(id, now, life)
  redis.pcall('ZADD', TOUCHED, now, id)
  for _, key in ipairs({episode(id), events(id), TOUCHED}) do redis.pcall('PEXPIRE', key, life) end
end
local function note_end(id, life)
  redis.call('ZADD', ENDED, redis.call('INCR', ENDS), id)
  for _, key in ipairs({ENDED, ENDS}) do redis.call('PEXPIRE', key, life) end
end
local function forget(id)
  local owner = redis.call('HGET', episode(id), 'owner')
  if owner and owner ~= '' then redis.call('SREM', owned(owner), id) end
  redis.call('DEL', episode(id), events(id))
  redis.call('ZREM', TOUCHED, id)
  redis.call('ZREM', ENDED, id)
end
"""


def _write_script(text: str) -> Script:
    whole = f"{_SHARED}{text}"
    return Script(whole, hashlib.sha1(whole.encode(), usedforsecurity=False).hexdigest())


CREATE = _write_script("""
local now, life, id, incarnation = tell_time(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local capacity, replaced, grace, nonce = tonumber(ARGV[8]), ARGV[9], tonumber(ARGV[11]), ARGV[12]
local known = redis.call('HMGET', episode(id), 'nonce', 'freed')
if known[1] == nonce then return {'stored', unpack(cjson.decode(known[2]))} end
local freed, room = {}, {}
local function free(handle)
  if not room[handle] then freed[#freed + 1], room[handle] = handle, true end
end
if replaced ~= '' and redis.call('HGET', episode(replaced), 'incarnation') == ARGV[10] then free(replaced) end
if redis.call('EXISTS', episode(id)) == 1 and not room[id] then return {'exists'} end
if redis.call('ZCARD', TOUCHED) - #freed >= capacity then
  local oldest
  for _, handle in ipairs(redis.call('ZRANGE', ENDED, 0, grace > 0 and -1 or #freed)) do
    local idle = grace == 0 or tonumber(redis.call('ZSCORE', TOUCHED, handle) or 0) <= tonumber(now) - grace
    if idle and not room[handle] then oldest = handle break end
  end
  if not oldest then return {'full'} end
  free(oldest)
end
for _, handle in ipairs(freed) do forget(handle) end
redis.call('HSET', episode(id), 'incarnation', incarnation, 'reference', ARGV[5], 'owner', ARGV[6], 'nonce', nonce,
  'freed', #freed == 0 and '[]' or cjson.encode(freed))
if ARGV[6] ~= '' then
  redis.call('SADD', owned(ARGV[6]), id)
  redis.call('PEXPIRE', owned(ARGV[6]), life)
end
for index = 13, #ARGV do redis.call('RPUSH', events(id), ARGV[index]) end
touch(id, now, life)
if ARGV[7] == '1' then note_end(id, life) end
return {'stored', unpack(freed)}
""")
"""now, life, id, incarnation, reference, owner, ended, capacity, replaced id and incarnation, grace, nonce, lines…"""

APPEND = _write_script("""
local id, expected, line = ARGV[3], tonumber(ARGV[5]), ARGV[7]
local incarnation = redis.call('HGET', episode(id), 'incarnation')
if not incarnation then return {'unknown'} end
if incarnation ~= ARGV[4] then return {'conflict'} end
if redis.call('LLEN', events(id)) ~= expected then
  local newer = redis.call('LRANGE', events(id), expected, -1)
  if newer[1] == line then return {'stored'} end
  return {'conflict', newer}
end
redis.call('RPUSH', events(id), line)
touch(id, tell_time(ARGV[1]), ARGV[2])
if ARGV[6] == '1' then note_end(id, ARGV[2]) end
return {'stored'}
""")
"""now, life, id, incarnation, expected length, whether it ends, line; a conflict has the lines that came first"""

LOAD = _write_script("""
local id = ARGV[3]
local kept = redis.call('HMGET', episode(id), 'reference', 'incarnation', 'owner')
if not kept[2] then return false end
if ARGV[5] == '1' then
  local now, touched = tell_time(ARGV[1]), redis.call('ZSCORE', TOUCHED, id)
  if not touched or math.abs(now - touched) >= 1 then touch(id, now, ARGV[2]) end
end
kept[4] = redis.call('LRANGE', events(id), ARGV[4], -1)
return kept
""")
"""now, life, id, first index, whether to touch; false if there is no such episode"""

DELETE = _write_script("""
if redis.call('HGET', episode(ARGV[3]), 'incarnation') == ARGV[4] then forget(ARGV[3]) end
return 'done'
""")
"""now, life, id, incarnation"""

EXPIRE = _write_script("""
local limit = string.format('%.17g', tell_time(ARGV[1]) - ARGV[3])
local idle = redis.call('ZRANGEBYSCORE', TOUCHED, '-inf', limit, 'LIMIT', 0, ARGV[4])
for _, id in ipairs(idle) do forget(id) end
return idle
""")
"""now, life, idle seconds, most"""

COUNT = _write_script("""
return redis.call('ZCARD', TOUCHED) - redis.call('ZCARD', ENDED)
""")
"""nothing; gives how many have not ended"""

LIST = _write_script("""
local told = redis.call('ZREVRANGE', TOUCHED, 0, -1, 'WITHSCORES')
told[#told + 1] = tell_time(ARGV[1])
return told
""")
"""now, life; gives handles, each with when it was touched, and then the time"""

LIST_OWNED = _write_script("""
local told = {}
for _, id in ipairs(redis.call('SMEMBERS', owned(ARGV[3]))) do
  local touched = redis.call('ZSCORE', TOUCHED, id)
  if touched and not redis.call('ZSCORE', ENDED, id) then
    told[#told + 1], told[#told + 2] = id, touched
  end
end
told[#told + 1] = tell_time(ARGV[1])
return told
""")
"""now, life, owner; gives handles of what has not ended, each with when it was touched, and then the time"""

DESCRIBE = _write_script("""
local told = {}
for index, id in ipairs(ARGV) do
  local kept = redis.call('HMGET', episode(id), 'reference', 'owner')
  told[index] = kept[1] and {kept[1], kept[2], redis.call('LLEN', events(id)),
    redis.call('ZSCORE', ENDED, id) and 1 or 0}
end
return told
""")
"""ids"""

ROOM = _write_script("""
if redis.call('ZCARD', TOUCHED) < tonumber(ARGV[3]) then return 1 end
local limit = tonumber(tell_time(ARGV[1])) - tonumber(ARGV[4])
for _, id in ipairs(redis.call('ZRANGE', ENDED, 0, -1)) do
  if tonumber(redis.call('ZSCORE', TOUCHED, id) or 0) <= limit then return 1 end
end
return 0
""")
"""now, life, capacity, grace; 1 if there is room for another episode"""

SECRET = _write_script("""
local key = PREFIX .. 'secret'
local kept = redis.call('GET', key)
if kept then return kept end
redis.call('SET', key, ARGV[1])
return ARGV[1]
""")
"""a secret that is kept if there is none"""
