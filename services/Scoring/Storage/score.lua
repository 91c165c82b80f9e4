-- Sets, or with empty data removes, the live score of one lead: atomic, and idempotent by version.
-- KEYS: 1 the hash of the lead's block, 2 the set of ranges, 3 the prefix of the ranges' sorted sets.
-- ARGV: 1 version, 2 '1' to set whatever is there, 3 data, 4 lead id (16 bytes), 5 range, 6 rank within the range.
-- A field holds version:range:data. One without a range says that the lead is gone; it stays until the next restoration, so that an older
-- write still under way does not bring the lead back. All keys carry the workspace as hash tag, so they live together.
local old = redis.call('HGET', KEYS[1], ARGV[4])
if old then
  local version, range = string.match(old, '^(%d+):([^:]*):')
  if version and ARGV[2] ~= '1' and tonumber(version) >= tonumber(ARGV[1]) then
    return 0
  end
  if range and range ~= '' and range ~= ARGV[5] then
    redis.call('ZREM', KEYS[3] .. range, ARGV[4])
    if redis.call('EXISTS', KEYS[3] .. range) == 0 then
      redis.call('SREM', KEYS[2], range)
    end
  end
end
redis.call('HSET', KEYS[1], ARGV[4], ARGV[1] .. ':' .. ARGV[5] .. ':' .. ARGV[3])
if ARGV[3] ~= '' then
  redis.call('ZADD', KEYS[3] .. ARGV[5], ARGV[6], ARGV[4])
  redis.call('SADD', KEYS[2], ARGV[5])
end
return 1
