import { randomUUID } from 'node:crypto';
import { ANY, ARRAY, type Call, type FunctionRule, NULL, NUMBER, OBJECT, refuse, TEXT } from './jmespath-call.ts';
import { prepareHash } from './jmespath-hash.ts';
import { secondsSince } from './jmespath-times.ts';
import { parseXml } from './jmespath-xml.ts';
import { ExpressionError, type JobValue } from './types.ts';
import { parseJson } from './values.ts';

const TIME = [{ name: 't', accepts: TEXT | NUMBER }];
const SECONDS_PER_DAY = 86_400;

/** Functions that read or write encodings, and those whose result is not only up to the record. */
export const CODING_FUNCTIONS: readonly FunctionRule[] = [
  {
    name: 'base64_decode',
    parameters: [{ name: 's', accepts: TEXT }],
    summary: 'The UTF-8 text that a base64 text encodes.',
    run: (s, _b, _c, call) => decodeBase64(s as string, call),
  },
  {
    name: 'hash',
    parameters: [
      { name: 'x', accepts: ANY },
      { name: 'algorithm', accepts: TEXT, isOptional: true },
    ],
    summary:
      'A hex digest (sha1 when no algorithm is named) of a text, or of the sorted compact JSON of another value.',
    prepare: prepareHash,
  },
  {
    name: 'json_parse',
    parameters: [{ name: 's', accepts: TEXT | ARRAY | OBJECT }],
    summary: 'The value that a JSON text holds; a column that is JSON already stays as it is.',
    run: (s, _b, _c, call) => (typeof s === 'string' ? explain(() => parseJson(s), call) : s),
  },
  {
    name: 'xml_to_dict',
    parameters: [{ name: 's', accepts: TEXT | NULL }],
    summary: 'An object from XML: attributes begin with @, text beside them is #text, repeated elements are arrays.',
    run: (s, _b, _c, call) => (s === null || s === '' ? s : explain(() => parseXml(s as string), call)),
  },
  {
    name: 'time_delta_days',
    parameters: TIME,
    summary: 'Whole days from a time (ISO text or Unix seconds) to now, rounded down; negative for the future.',
    isVolatile: true,
    run: (t, _b, _c, call) => Math.floor(secondsSince(t, call) / SECONDS_PER_DAY),
  },
  {
    name: 'time_delta_seconds',
    parameters: TIME,
    summary: 'Whole seconds from a time (ISO text or Unix seconds) to now, rounded down; negative for the future.',
    isVolatile: true,
    run: (t, _b, _c, call) => Math.floor(secondsSince(t, call)),
  },
  {
    name: 'uuid',
    parameters: [],
    summary: 'A random UUID (version 4); another one each time.',
    isVolatile: true,
    run: () => randomUUID(),
  },
];

/** Errors of the readers of JSON and XML say what is wrong in the text; which text it is, is known here. */
function explain(read: () => JobValue, call: Call): JobValue {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return refuse(call, 0, `is ${error.message}`);
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeBase64(s: string, call: Call): string {
  const characters = s.replace(/[^A-Za-z0-9+/=]/g, '');
  const padding = characters.indexOf('=');
  const letters = padding === -1 ? characters : characters.slice(0, padding);
  const needed = (4 - (letters.length % 4)) % 4;
  const given = characters.length - letters.length;
  if (letters.length % 4 === 1 || given < needed) {
    refuse(call, 0, 'is not base64: its padding (= at the end) is missing or wrong');
  }
  try {
    return UTF8.decode(Buffer.from(letters, 'base64'));
  } catch {
    return refuse(call, 0, 'is base64 of bytes that are no UTF-8 text');
  }
}
