/** Takes secrets out of texts: those that are known, in every spelling in which they may stand, and what is named like one. */

import { HIDDEN } from '../config/index.ts';

/** Shorter ones are replaced where they stand alone: anywhere else they would tear words apart. */
const SHORT = 4;

const SECRET_NAME = String.raw`[\w.-]*(?:passw|passphrase|secret|token|credential|private[._-]?key|api[._-]?key|authorization)[\w.-]*`;
/** `"password": "…"`, also inside a text of JSON. */
const IN_JSON = new RegExp(String.raw`(\\*"${SECRET_NAME}\\*"\s*:\s*\\*")((?:[^"\\]|\\(?!")[^"])+)`, 'gi');
/** `password: …`, `password=…`, `--password …`; values that are placeholders stay. */
const IN_TEXT = new RegExp(
  String.raw`(^|[\s{,;&?])((?:--)?${SECRET_NAME}[ \t]*[:=][ \t]*)(["']?)(?!\$\{|["'{[\s|>]|\*{8})([^\s"',}&]+)`,
  'gim',
);
/** `password: |` and the lines below it that stand further in. */
const IN_BLOCK = new RegExp(
  String.raw`^([ \t]*)(${SECRET_NAME}[ \t]*:[ \t]*[|>][^\n]*\n)((?:\1[ \t]+\S.*(?:\n|$))+)`,
  'gim',
);
const URL_PASSWORD = /\b([a-z][a-z0-9+.-]*:\/\/[^\s:@/"']*:)([^\s@/"'$*][^\s@"']*)(?=@)/gi;
const PEM = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g;
const BEARER = /\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{8,}/g;

/** Whether what has this name is a secret. */
export function isSecretName(name: string): boolean {
  return new RegExp(`^${SECRET_NAME}$`, 'i').test(name) && !/_(?:FILE|DIR|MOUNT)$/.test(name);
}

/** A function that replaces the given secrets, and everything that is named like one, in a text. */
export function masker(secrets: readonly string[]): (text: string) => string {
  const all = [...new Set(secrets.flatMap(spellings))].sort((a, b) => b.length - a.length);
  const patterns = all.map((secret) =>
    secret.length < SHORT ? alone(secret) : new RegExp(RegExp.escape(secret), 'g'),
  );
  return (text) => {
    let masked = text;
    for (const pattern of patterns) masked = masked.replace(pattern, HIDDEN);
    return masked
      .replace(PEM, HIDDEN)
      .replace(BEARER, `$1 ${HIDDEN}`)
      .replace(URL_PASSWORD, `$1${HIDDEN}`)
      .replace(IN_JSON, `$1${HIDDEN}`)
      .replace(IN_BLOCK, `$1$2$1  ${HIDDEN}\n`)
      .replace(IN_TEXT, `$1$2$3${HIDDEN}`);
  };
}

/** A secret as it is, in a URL, in JSON, in JSON inside JSON, as hexadecimal digits, and as base64, alone or within a longer text. */
function spellings(secret: string): string[] {
  if (secret === '') return [];
  const once = JSON.stringify(secret).slice(1, -1);
  const url = encodeURIComponent(secret.toWellFormed());
  const strict = url.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const bytes = Buffer.from(secret);
  return [
    secret,
    once,
    JSON.stringify(once).slice(1, -1),
    url,
    strict,
    lowerEscapes(url),
    lowerEscapes(strict),
    url.replaceAll('%20', '+'),
    ...(secret.length < SHORT ? [] : [bytes.toString('hex'), bytes.toString('hex').toUpperCase(), ...base64(bytes)]),
  ];
}

function lowerEscapes(text: string): string {
  return text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
}

/**
 * Base64 of the bytes, and what of it stands in the base64 of a longer text (`user:password`): three characters stand for four, so
 * there are three ways, whose first and last characters depend on the neighbours.
 */
function base64(bytes: Buffer): string[] {
  const whole = bytes.toString('base64').replace(/=+$/, '');
  const inside = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const first = Math.ceil((before * 8) / 6);
    const last = Math.floor(((before + bytes.length) * 8) / 6);
    return text.slice(first, last);
  });
  const long = inside.filter((text) => text.length >= SHORT);
  return [whole, ...long].flatMap((text) => [text, text.replaceAll('+', '-').replaceAll('/', '_')]);
}

function alone(secret: string): RegExp {
  return new RegExp(`(?<![A-Za-z0-9])${RegExp.escape(secret)}(?![A-Za-z0-9])`, 'g');
}
