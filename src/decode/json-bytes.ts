/** The bytes of JSON's grammar. */
export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const MINUS = 0x2d;
export const POINT = 0x2e;
export const ZERO = 0x30;
export const BLANK = 0x20;

/** Marks of bytes inside a JSON string: 0 plain ASCII, 1 part of a longer UTF-8 character, 2 ends the plain run. */
export const STRING_CLASS = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  STRING_CLASS[byte] = byte < BLANK || byte === QUOTE || byte === BACKSLASH ? 2 : byte >= 0x80 ? 1 : 0;
}

/** Letters that may follow a backslash, `u` apart. */
export const ESCAPES = new Set([...'"\\/bfnrt'].map((letter) => letter.charCodeAt(0)));

/** 1 for the digits of a `\u` escape. */
export const HEX = new Uint8Array(256);
for (const digit of '0123456789abcdefABCDEF') HEX[digit.charCodeAt(0)] = 1;

export const BRACE = { open: OPEN_BRACE, close: CLOSE_BRACE } as const;
export const BRACKET = { open: OPEN_BRACKET, close: CLOSE_BRACKET } as const;
