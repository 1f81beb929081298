import { InvalidArgumentError, Option } from 'commander';

const MS_PER_UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `30s`, `2m`, `1h`, `7d`; a bare number counts seconds, as in earlier versions. */
export function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/i.exec(text.trim());
  const ms = match === null ? Number.NaN : Number(match[1]) * MS_PER_UNIT[(match[2] ?? 's').toLowerCase()]!;
  if (ms >= 0 && ms <= 2 ** 31 - 1) return ms;
  throw new InvalidArgumentError('Give a duration such as 30s, 2m or 1h.');
}

/** ms since the epoch of a time (`2026-11-23T10:00:00Z`), or of so long ago (`30m`). */
export function pointInTime(text: string): number {
  if (/^\d+(\.\d+)?(ms|s|m|h|d)$/i.test(text)) return Date.now() - duration(text);
  const ms = Date.parse(text);
  if (!Number.isNaN(ms)) return ms;
  throw new InvalidArgumentError('Give a time such as 2026-11-23T10:00:00Z, or how long ago: 30m, 2h, 1d.');
}

/** A switch that can also be given a value, as in RDI: `--wait`, `--wait=false`. */
export function switchOption(flag: string, description: string, fallback: boolean): Option {
  return new Option(`${flag} [true|false]`, description)
    .preset('true')
    .default(fallback)
    .argParser((text: string) => {
      if (/^(true|yes|1)$/i.test(text)) return true;
      if (/^(false|no|0)$/i.test(text)) return false;
      throw new InvalidArgumentError(`Write ${flag} or ${flag}=false.`);
    });
}

/** For an option that may be given several times. */
export function several(text: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), ...text.split(',').filter((part) => part !== '')];
}
