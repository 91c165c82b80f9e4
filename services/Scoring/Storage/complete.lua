-- Marks a workspace's live scores as complete as of a snapshot, unless they were lost while they were restored.
-- KEYS: 1 the mark of completeness, 2 the token of the restoration. ARGV: 1 the token that the restorer set, 2 the snapshot.
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[2])
redis.call('SET', KEYS[1], ARGV[2])
return 1
