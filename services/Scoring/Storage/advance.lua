-- Moves the mark of completeness from one snapshot to a later one, unless it is another by now.
-- KEYS: 1 the mark. ARGV: 1 the snapshot it was, 2 the snapshot it becomes.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2])
return 1
