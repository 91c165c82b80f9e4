-- Takes a lead out of a range where it does not stand.
-- KEYS: 1 the hash of the lead's block, 2 the range's sorted set, 3 the set of ranges. ARGV: 1 lead id (16 bytes), 2 range.
local entry = redis.call('HGET', KEYS[1], ARGV[1])
local range = entry and string.match(entry, '^%d+:([^:]*):')
if range == ARGV[2] then
  return 0
end
redis.call('ZREM', KEYS[2], ARGV[1])
if redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('SREM', KEYS[3], ARGV[2])
end
return 1
