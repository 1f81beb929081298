import { closestWord } from '../../../lib/closest.ts';

/** What a lookup may send to a target, and why not. Names from the command tables of Redis 8 and its modules. */

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Commands that only read. */
const READS = words(`
  BITCOUNT BITFIELD_RO BITPOS DBSIZE DIGEST DUMP ECHO EVALSHA_RO EVAL_RO EXISTS EXPIRETIME FCALL_RO GEODIST GEOHASH GEOPOS
  GEORADIUSBYMEMBER_RO GEORADIUS_RO GEOSEARCH GET GETBIT GETRANGE HEXISTS HEXPIRETIME HGET HGETALL HKEYS HLEN HMGET
  HPEXPIRETIME HPTTL HRANDFIELD HSCAN HSTRLEN HTTL HVALS INFO KEYS LASTSAVE LCS LINDEX LLEN LOLWUT LPOS LRANGE MGET PEXPIRETIME
  PFCOUNT PING PTTL RANDOMKEY SCAN SCARD SDIFF SINTER SINTERCARD SISMEMBER SMEMBERS SMISMEMBER SORT_RO SRANDMEMBER SSCAN
  STRLEN SUBSTR SUNION TIME TOUCH TTL TYPE VCARD VDIM VEMB VGETATTR VINFO VISMEMBER VLINKS VRANDMEMBER VRANGE VSIM XLEN XPENDING
  XRANGE XREAD XREVRANGE ZCARD ZCOUNT ZDIFF ZINTER ZINTERCARD ZLEXCOUNT ZMSCORE ZRANDMEMBER ZRANGE ZRANGEBYLEX ZRANGEBYSCORE
  ZRANK ZREVRANGE ZREVRANGEBYLEX ZREVRANGEBYSCORE ZREVRANK ZSCAN ZSCORE ZUNION
  BF.CARD BF.EXISTS BF.INFO BF.MEXISTS CF.COUNT CF.EXISTS CF.INFO CF.MEXISTS CMS.INFO CMS.QUERY
  FT.AGGREGATE FT.DICTDUMP FT.EXPLAIN FT.HYBRID FT.INFO FT.SEARCH FT.SPELLCHECK FT.SUGGET FT.SUGLEN FT.SYNDUMP FT.TAGVALS FT._LIST
  GRAPH.RO_QUERY JSON.ARRINDEX JSON.ARRLEN JSON.GET JSON.MGET JSON.OBJKEYS JSON.OBJLEN JSON.RESP JSON.STRLEN JSON.TYPE
  TDIGEST.BYRANK TDIGEST.BYREVRANK TDIGEST.CDF TDIGEST.INFO TDIGEST.MAX TDIGEST.MIN TDIGEST.QUANTILE TDIGEST.RANK
  TDIGEST.REVRANK TDIGEST.TRIMMED_MEAN TOPK.COUNT TOPK.INFO TOPK.LIST TOPK.QUERY
  TS.GET TS.INFO TS.MGET TS.MRANGE TS.MREVRANGE TS.QUERYINDEX TS.RANGE TS.REVRANGE
`);

/** Commands with a second word: which second words only read. */
const CONTAINERS: Readonly<Record<string, ReadonlySet<string>>> = {
  ACL: words('CAT DRYRUN GETUSER LIST USERS WHOAMI'),
  CLIENT: words('GETNAME ID INFO LIST'),
  CLUSTER: words('COUNTKEYSINSLOT GETKEYSINSLOT INFO KEYSLOT MYID NODES SHARDS SLOTS'),
  COMMAND: words('COUNT DOCS GETKEYS INFO LIST'),
  CONFIG: words('GET'),
  FUNCTION: words('LIST STATS'),
  'JSON.DEBUG': words('MEMORY'),
  LATENCY: words('DOCTOR HISTOGRAM HISTORY LATEST'),
  MEMORY: words('DOCTOR STATS USAGE'),
  MODULE: words('LIST'),
  OBJECT: words('ENCODING FREQ IDLETIME REFCOUNT'),
  PUBSUB: words('CHANNELS NUMPAT NUMSUB SHARDCHANNELS SHARDNUMSUB'),
  SCRIPT: words('EXISTS'),
  SLOWLOG: words('GET LEN'),
  XINFO: words('CONSUMERS GROUPS STREAM'),
};

const WAITS = words(
  'BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN MONITOR PSUBSCRIBE PSYNC PUNSUBSCRIBE SSUBSCRIBE SUBSCRIBE SUNSUBSCRIBE SYNC UNSUBSCRIBE WAIT WAITAOF',
);

const SESSION = words('ASKING AUTH DISCARD EXEC HELLO MULTI QUIT READONLY READWRITE RESET SELECT SWAPDB UNWATCH WATCH');

/** Commands that change data or the server. Those of modules are told by what they are known to do. */
const WRITES = words(`
  APPEND BGREWRITEAOF BGSAVE BITFIELD BITOP COPY DEBUG DECR DECRBY DEL DELEX EVAL EVALSHA EXPIRE EXPIREAT FAILOVER FCALL FLUSHALL
  FLUSHDB GEOADD GEORADIUS GEORADIUSBYMEMBER GEOSEARCHSTORE GETDEL GETEX GETSET HDEL HEXPIRE HEXPIREAT HGETDEL HGETEX HINCRBY
  HINCRBYFLOAT HMSET HPERSIST HPEXPIRE HPEXPIREAT HSET HSETEX HSETNX INCR INCRBY INCRBYFLOAT LINSERT LMOVE LMPOP LPOP LPUSH LPUSHX
  LREM LSET LTRIM MIGRATE MOVE MSET MSETEX MSETNX PERSIST PEXPIRE PEXPIREAT PFADD PFDEBUG PFMERGE PFSELFTEST PSETEX PUBLISH RENAME
  RENAMENX REPLCONF REPLICAOF RESTORE RESTORE-ASKING RPOP RPOPLPUSH RPUSH RPUSHX SADD SAVE SDIFFSTORE SET SETBIT SETEX SETNX
  SETRANGE SHUTDOWN SINTERSTORE SLAVEOF SMOVE SORT SPOP SPUBLISH SREM SUNIONSTORE UNLINK VADD VREM VSETATTR XACK XACKDEL XADD
  XAUTOCLAIM XCFGSET XCLAIM XDEL XDELEX XGROUP XREADGROUP XSETID XTRIM ZADD ZDIFFSTORE ZINCRBY ZINTERSTORE ZMPOP ZPOPMAX
  ZPOPMIN ZRANGESTORE ZREM ZREMRANGEBYLEX ZREMRANGEBYRANK ZREMRANGEBYSCORE ZUNIONSTORE
  BF.ADD BF.INSERT BF.LOADCHUNK BF.MADD BF.RESERVE CF.ADD CF.ADDNX CF.DEL CF.INSERT CF.INSERTNX CF.LOADCHUNK CF.RESERVE
  CMS.INCRBY CMS.INITBYDIM CMS.INITBYPROB CMS.MERGE FT.ALIASADD FT.ALIASDEL FT.ALIASUPDATE FT.ALTER FT.CREATE FT.CURSOR FT.DICTADD
  FT.DICTDEL FT.DROPINDEX FT.SUGADD FT.SUGDEL FT.SYNUPDATE GRAPH.DELETE GRAPH.QUERY JSON.ARRAPPEND JSON.ARRINSERT JSON.ARRPOP
  JSON.ARRTRIM JSON.CLEAR JSON.DEL JSON.FORGET JSON.MERGE JSON.MSET JSON.NUMINCRBY JSON.NUMMULTBY JSON.SET JSON.STRAPPEND
  JSON.TOGGLE TDIGEST.ADD TDIGEST.CREATE TDIGEST.MERGE TDIGEST.RESET TOPK.ADD TOPK.INCRBY TOPK.RESERVE
  TS.ADD TS.ALTER TS.CREATE TS.CREATERULE TS.DECRBY TS.DEL TS.DELETERULE TS.INCRBY TS.MADD
`);

export interface CommandVerdict {
  /** Why the command must not be sent; null when it may. */
  readonly problem: string | null;
  /** True when nothing is known of it, as with modules of one's own. */
  readonly isUnknown: boolean;
}

const FINE: CommandVerdict = { problem: null, isUnknown: false };
const refused = (problem: string): CommandVerdict => ({ problem, isUnknown: false });

/**
 * Judges a command of a lookup: upper case words, and the arguments whose text is the same for every record (null for the
 * others). A lookup may neither write nor wait, because it is repeated after any trouble, and others wait behind it.
 */
export function judgeCommand(command: readonly string[], args: readonly (string | null)[]): CommandVerdict {
  const [name, ...rest] = command as [string, ...string[]];
  if (Object.hasOwn(CONTAINERS, name)) return judgeSecondWord(name, rest, args);
  if (rest.length > 0)
    return refused(`\`${command.join(' ')}\` is more than a command: put what follows into \`args\``);
  if (WRITES.has(name)) return refused(`\`${name}\` changes the target or its data, and a lookup only reads`);
  if (WAITS.has(name)) return refused(`\`${name}\` waits, and a lookup must be answered at once`);
  if (SESSION.has(name)) return refused(`\`${name}\` changes the connection, which all lookups share`);
  if (name === 'XREAD' && args.some((word) => word?.toUpperCase() === 'BLOCK')) {
    return refused('`XREAD` with `BLOCK` waits, and a lookup must be answered at once');
  }
  if (READS.has(name)) return FINE;
  const close = closestWord(name, [...READS]);
  // A name without a dot is a command of Redis itself, of which none is missing above.
  const isModule = name.includes('.');
  if (close !== undefined && !isModule) return refused(`there is no command \`${name}\`; did you mean \`${close}\`?`);
  return { problem: null, isUnknown: true };
}

function judgeSecondWord(name: string, rest: readonly string[], args: readonly (string | null)[]): CommandVerdict {
  const allowed = CONTAINERS[name]!;
  const second = rest[0] ?? args[0]?.toUpperCase();
  if (rest.length > 1)
    return refused(`\`${name} ${rest.join(' ')}\` is more than a command: put what follows into \`args\``);
  if (second !== undefined && allowed.has(second)) return FINE;
  const list = [...allowed].map((word) => `\`${name} ${word}\``).join(', ');
  return refused(`of the commands of \`${name}\` a lookup may use ${list}`);
}
