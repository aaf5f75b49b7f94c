/**
 * What must happen in one step at the cache. Each touches one key. Numbers of Lua are doubles: instants and tokens are exact enough in them,
 * a seq only up to 2^53, where JavaScript ends too; it is stored as the text that came.
 */

/** Fields of `p:{user}`: `c:{connectionId}` until when it counts, `seen`, `invisible`. */
const LOOK_AROUND = `
local key, now, own = KEYS[1], tonumber(ARGV[1]), ARGV[2]
local fields = redis.call('HGETALL', key)
local alive, others, invisible = false, false, false
for i = 1, #fields, 2 do
  local name, value = fields[i], fields[i + 1]
  if string.sub(name, 1, 2) == 'c:' then
    if tonumber(value) > now then
      alive = true
      if name ~= own then others = true end
    else
      redis.call('HDEL', key, name)
    end
  elseif name == 'invisible' then
    invisible = value == '1'
  end
end
`;

/** `ARGV`: now, field of the connection, until when it counts, whether it is invisible, ms after which the user is forgotten. */
const BEAT = `${LOOK_AROUND}
local hides = ARGV[4] == '1'
redis.call('HSET', key, own, ARGV[3], 'invisible', ARGV[4])
if not hides then redis.call('HSET', key, 'seen', ARGV[1]) end
redis.call('PEXPIRE', key, ARGV[5])
if hides or (alive and not invisible) then return 0 end
return 1
`;

/** `ARGV`: now, field of the connection. */
const END = `${LOOK_AROUND}
redis.call('HDEL', key, own)
if alive and not others and not invisible then return 1 end
return 0
`;

/** `ARGV`: now, burst, tokens per second, ms after which a bucket is full. Answers whether one was taken, and how long to wait. */
const TAKE = `
local key, now, burst, perSecond = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local bucket = redis.call('HMGET', key, 'tokens', 'at')
local at = tonumber(bucket[2] or now)
local tokens = math.min(burst, tonumber(bucket[1] or burst) + math.max(0, now - at) / 1000 * perSecond)
local taken, wait = 0, 0
if tokens >= 1 then
  taken, tokens = 1, tokens - 1
else
  wait = math.ceil((1 - tokens) / perSecond * 1000)
end
redis.call('HSET', key, 'tokens', tokens, 'at', math.max(now, at))
redis.call('PEXPIRE', key, ARGV[4])
return { taken, wait }
`;

/** `ARGV`: seq, ms to live. */
const RAISE = `
local head = redis.call('GET', KEYS[1])
if not head or tonumber(head) < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
`;

export const SCRIPTS = {
  parleyBeat: { numberOfKeys: 1, lua: BEAT },
  parleyEnd: { numberOfKeys: 1, lua: END },
  parleyTake: { numberOfKeys: 1, lua: TAKE },
  parleyRaise: { numberOfKeys: 1, lua: RAISE },
};

/** What the client learns by `SCRIPTS`. */
export interface ScriptCommands {
  parleyBeat(
    key: string,
    now: number,
    field: string,
    until: number,
    invisible: '0' | '1',
    keptMs: number,
  ): Promise<number>;
  parleyEnd(key: string, now: number, field: string): Promise<number>;
  parleyTake(
    key: string,
    now: number,
    burst: number,
    perSecond: number,
    fullAfterMs: number,
  ): Promise<[number, number]>;
  parleyRaise(key: string, seq: number, ttlMs: number): Promise<null>;
}
