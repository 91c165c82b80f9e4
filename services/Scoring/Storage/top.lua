-- Reads the leads of a score whose bounds are the highest, highest first, with what is kept of each.
-- KEYS: 1 the mark of completeness, 2 the set of ranges, 3 the prefix of the ranges' sorted sets, 4 the prefix of the blocks.
-- ARGV: 1 the time, in seconds since the ranks' epoch, 2 how many leads, 3 the lowest bound that is of interest, 4 the number of blocks.
-- Returns nothing where not all leads are in; else the bound of the next lead that was not read ('' when there is none), then id and field of
-- each lead. All keys carry the workspace as hash tag, so they live together.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return false
end
local time, count, lowest, blocks = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
-- The next lead of a range, and the most that its total can be; nil at the range's end. Most ranges are asked for their first lead only.
local function advance(range)
  range.at = range.at + 2
  if range.at > #range.page then
    local size = range.read == 0 and 1 or 50
    range.page = redis.call('ZREVRANGE', range.key, range.read, range.read + size - 1, 'WITHSCORES')
    range.read = range.read + size
    range.at = 1
  end
  local rank = range.page[range.at + 1]
  if not rank then
    return false
  end
  range.bound = range.halfLife == 0 and range.ceiling or range.ceiling + 2 ^ (tonumber(rank) - time / range.halfLife)
  return range.bound >= lowest
end
local ranges = {}
for _, name in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  local ceiling, halfLife = string.match(name, '^(.*)|(.*)$')
  local range = { key = KEYS[3] .. name, ceiling = tonumber(ceiling), halfLife = tonumber(halfLife), read = 0, at = -1, page = {} }
  if advance(range) then
    ranges[#ranges + 1] = range
  end
end
table.sort(ranges, function(left, right) return left.bound > right.bound end)
local answer = { '' }
local first = 1
while first <= #ranges do
  local range = ranges[first]
  if #answer > 2 * count then
    answer[1] = string.format('%.17g', range.bound)
    break
  end
  local id = range.page[range.at]
  local high, low = string.byte(id, -2, -1)
  answer[#answer + 1] = id
  answer[#answer + 1] = redis.call('HGET', KEYS[4] .. string.format('%x', (high * 256 + low) % blocks), id)
  if advance(range) then
    -- It moves back behind those that are higher now: not far, mostly.
    local place = first
    while place < #ranges and ranges[place + 1].bound > range.bound do
      ranges[place] = ranges[place + 1]
      place = place + 1
    end
    ranges[place] = range
  else
    first = first + 1
  end
end
return answer
