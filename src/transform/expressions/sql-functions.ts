/**
 * The scalar functions of SQLite that an expression may call, with their least and largest number of arguments: `2`,
 * `1-2`, `2+`. A list of what is allowed, not of what is forbidden, so that a newer SQLite adds nothing by itself: no
 * `load_extension`, no function of full-text or spatial tables, none about the connection. A test holds it against the
 * SQLite in use.
 *
 * Sources: https://sqlite.org/lang_corefunc.html, lang_mathfunc.html, lang_datefunc.html, json1.html.
 */
const SCALARS = `
  abs 1, acos 1, acosh 1, asin 1, asinh 1, atan 1, atan2 2, atanh 1, ceil 1, ceiling 1, char 0+, coalesce 2+, concat 1+,
  concat_ws 2+, cos 1, cosh 1, date 0+, datetime 0+, degrees 1, exp 1, floor 1, format 0+, glob 2, hex 1, if 2+, ifnull 2,
  iif 2+, instr 2, json 1, json_array 0+, json_array_insert 0+, json_array_length 1-2, json_error_position 1,
  json_extract 0+, json_insert 0+, json_object 0+, json_patch 2, json_pretty 1-2, json_quote 1, json_remove 0+,
  json_replace 0+, json_set 0+, json_type 1-2, json_valid 1-2, jsonb 1, jsonb_array 0+, jsonb_array_insert 0+,
  jsonb_extract 0+, jsonb_insert 0+, jsonb_object 0+, jsonb_patch 2, jsonb_remove 0+, jsonb_replace 0+, jsonb_set 0+,
  julianday 0+, length 1, like 2-3, likelihood 2, likely 1, ln 1, log 1-2, log10 1, log2 1, lower 1, ltrim 1-2, max 2+,
  min 2+, mod 2, nullif 2, octet_length 1, pi 0, pow 2, power 2, printf 0+, quote 1, radians 1, random 0, randomblob 1,
  regexp 2, replace 3, round 1-2, rtrim 1-2, sign 1, sin 1, sinh 1, sqlite_version 0, sqrt 1, strftime 0+, substr 2-3,
  substring 2-3, tan 1, tanh 1, time 0+, timediff 2, trim 1-2, trunc 1, typeof 1, unhex 1-2, unicode 1, unistr 1,
  unistr_quote 1, unixepoch 0+, unlikely 1, upper 1, zeroblob 1`;

const AGGREGATES = `avg count group_concat json_group_array json_group_object jsonb_group_array jsonb_group_object median
  percentile percentile_cont percentile_disc string_agg sum total`;

const WINDOWS = 'cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number';

export interface SqlFunction {
  readonly least: number;
  readonly most: number;
}

/** Functions by lower-case name. */
export const SQL_FUNCTIONS: ReadonlyMap<string, SqlFunction> = new Map(
  SCALARS.split(',').map((entry) => {
    const [name, counts] = entry.trim().split(' ') as [string, string];
    const [least, most = least] = counts.split(/[-+]/) as [string, string?];
    return [name, { least: Number(least), most: counts.endsWith('+') ? Number.POSITIVE_INFINITY : Number(most) }];
  }),
);

export const SQL_AGGREGATES: ReadonlySet<string> = new Set(AGGREGATES.split(/\s+/));
export const SQL_WINDOWS: ReadonlySet<string> = new Set(WINDOWS.split(' '));

/**
 * The number of arguments from which a function of time works on what it is given; with fewer it takes the time of day.
 */
export const TIME_FUNCTIONS: ReadonlyMap<string, number> = new Map([
  ['date', 1],
  ['time', 1],
  ['datetime', 1],
  ['julianday', 1],
  ['unixepoch', 1],
  ['strftime', 2],
  ['timediff', 2],
]);

/** Texts that a function of time reads as the time of day. */
export const NOW_WORDS: ReadonlySet<string> = new Set(['now', 'subsec', 'subsecond']);

/** `1 argument`, `1 or 2 arguments`, `2 or more arguments`. */
export function expectedArguments({ least, most }: SqlFunction): string {
  if (most === Number.POSITIVE_INFINITY) return `${least} or more arguments`;
  if (least === most) return least === 1 ? '1 argument' : `${least === 0 ? 'no' : least} arguments`;
  return `${least} or ${most} arguments`;
}
