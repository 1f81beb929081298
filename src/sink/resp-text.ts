/**
 * Replies as Latin-1 strings: every byte of a value is one character, so they are binary safe and can be joined before
 * they are sent. `version` is the RESP version that the client asked for with `HELLO`.
 */
export type RespVersion = 2 | 3;

export const OK = '+OK\r\n';
/** The one error that makes Debezium wait and send a record again; text is matched by it (Debezium Server 1.9 – 3.6). */
export const OOM = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";

export function bulk(value: string): string {
  return `$${value.length}\r\n${value}\r\n`;
}

export function integer(value: number): string {
  return `:${value}\r\n`;
}

/** `message` without the leading dash, for example `ERR syntax error`. Line breaks would end the reply early. */
export function error(message: string): string {
  return `-${message.replace(/[\r\n]/g, ' ')}\r\n`;
}

export function arrayOf(items: readonly string[]): string {
  return `*${items.length}\r\n${items.join('')}`;
}

export function arrayHeader(length: number): string {
  return `*${length}\r\n`;
}

export function nil(version: RespVersion): string {
  return version === 3 ? '_\r\n' : '$-1\r\n';
}

export function nilArray(version: RespVersion): string {
  return version === 3 ? '_\r\n' : '*-1\r\n';
}

/** A map: its own type in RESP3, a flat array in RESP2. Values are replies already. */
export function mapOf(version: RespVersion, entries: readonly (readonly [string, string])[]): string {
  const header = version === 3 ? `%${entries.length}\r\n` : `*${entries.length * 2}\r\n`;
  return header + entries.map(([name, value]) => bulk(name) + value).join('');
}

/** UTF-8 text as it goes over the wire. */
export function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
