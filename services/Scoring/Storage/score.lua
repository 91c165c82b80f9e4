-- Sets, or with empty data removes, the live score of one lead: atomic, and idempotent by version.
-- KEYS: 1 the lead's hash (v version, d data, z range), 2 the set of ranges, 3 the prefix of the ranges' sorted sets.
-- ARGV: 1 version, 2 '1' to set whatever is there, 3 data, 4 lead id, 5 range, 6 rank within the range.
-- All keys carry the workspace as hash tag, so the sorted sets live where the hash does.
local version = redis.call('HGET', KEYS[1], 'v')
if version and ARGV[2] ~= '1' and tonumber(version) >= tonumber(ARGV[1]) then
  return 0
end
local range = redis.call('HGET', KEYS[1], 'z')
if range and range ~= ARGV[5] then
  redis.call('ZREM', KEYS[3] .. range, ARGV[4])
  if redis.call('EXISTS', KEYS[3] .. range) == 0 then
    redis.call('SREM', KEYS[2], range)
  end
end
redis.call('DEL', KEYS[1])
if ARGV[3] == '' then
  -- Stays a day, so that an older write still under way does not bring the lead back.
  redis.call('HSET', KEYS[1], 'v', ARGV[1])
  redis.call('EXPIRE', KEYS[1], 86400)
else
  redis.call('HMSET', KEYS[1], 'v', ARGV[1], 'd', ARGV[3], 'z', ARGV[5])
  redis.call('ZADD', KEYS[3] .. ARGV[5], ARGV[6], ARGV[4])
  redis.call('SADD', KEYS[2], ARGV[5])
end
return 1
