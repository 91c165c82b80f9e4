-- Sets, or with empty data removes, the live scores of leads: each atomic, and idempotent by version.
-- KEYS: 1 the set of ranges, 2 the prefix of the ranges' sorted sets, then for each lead the hash of its block.
-- ARGV: 1 '1' to set whatever is there, then for each lead: version, data, lead id (16 bytes), range, rank within the range.
-- A field holds version:range:data. One without a range says that the lead is gone; it stays until the next restoration, so that an older
-- write still under way does not bring the lead back. All keys carry the workspace as hash tag, so they live together.
local ranges, prefix, force = KEYS[1], KEYS[2], ARGV[1] == '1'
for lead = 3, #KEYS do
  local at = 2 + (lead - 3) * 5
  local block, version, data, id, range, rank = KEYS[lead], ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
  local old = redis.call('HGET', block, id)
  local stays = false
  if old then
    local known, stood = string.match(old, '^(%d+):([^:]*):')
    stays = known and not force and tonumber(known) >= tonumber(version)
    if not stays and stood and stood ~= '' and stood ~= range then
      redis.call('ZREM', prefix .. stood, id)
      if redis.call('EXISTS', prefix .. stood) == 0 then
        redis.call('SREM', ranges, stood)
      end
    end
  end
  if not stays then
    redis.call('HSET', block, id, version .. ':' .. range .. ':' .. data)
    if data ~= '' then
      redis.call('ZADD', prefix .. range, rank, id)
      redis.call('SADD', ranges, range)
    end
  end
end
return 1
