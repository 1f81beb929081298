import { ExpressionError, type JobObject, type JobValue } from './types.ts';

const MAX_DEPTH = 200;
const NAME = /[\p{L}_:][\p{L}\p{N}_:.\u00b7-]*/uy;
const BLANKS = /[ \t\r\n]*/y;
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

interface Element {
  readonly name: string;
  readonly members: JobObject;
  /** Text pieces between the children. */
  text: string;
}

/**
 * An object of one member, the root element. Attributes begin with `@`, text beside attributes or children is `#text`,
 * repeated elements become an array, empty ones null; all values are text, trimmed. Prefixes of namespaces stay. Comments,
 * processing instructions and a DOCTYPE without declarations are skipped; only the five standard entities are known, and
 * nothing is ever fetched.
 * @throws ExpressionError with the offset, when the text is not well-formed.
 */
export function parseXml(text: string): JobObject {
  return new XmlReader(text).read();
}

class XmlReader {
  readonly #text: string;
  #at = 0;
  readonly #open: Element[] = [];
  readonly #document: Element = { name: '', members: new Map(), text: '' };

  constructor(text: string) {
    this.#text = text.startsWith('\ufeff') ? text.slice(1) : text;
  }

  read(): JobObject {
    while (this.#at < this.#text.length) {
      if (this.#text[this.#at] === '<') this.#markup();
      else this.#characters();
    }
    if (this.#open.length > 0) this.#fail(`<${this.#open.at(-1)!.name}> is not closed`);
    if (this.#document.members.size === 0) this.#fail('it holds no element');
    return this.#document.members;
  }

  #fail(problem: string): never {
    throw new ExpressionError(`no well-formed XML: ${problem} (offset ${this.#at})`);
  }

  #takes(literal: string): boolean {
    if (!this.#text.startsWith(literal, this.#at)) return false;
    this.#at += literal.length;
    return true;
  }

  /** What stands before `closing`, which is skipped. */
  #until(closing: string, what: string): string {
    const end = this.#text.indexOf(closing, this.#at);
    if (end === -1) this.#fail(`${what} has no end`);
    const inside = this.#text.slice(this.#at, end);
    this.#at = end + closing.length;
    return inside;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return '';
    this.#at = pattern.lastIndex;
    return match[0];
  }

  #name(): string {
    return this.#match(NAME) || this.#fail('a name is due');
  }

  #characters(): void {
    const start = this.#at;
    const end = this.#text.indexOf('<', start);
    this.#at = end === -1 ? this.#text.length : end;
    this.#addText(this.#decode(this.#text.slice(start, this.#at)));
  }

  #addText(text: string): void {
    const element = this.#open.at(-1);
    if (element) element.text += text;
    else if (text.trim() !== '') this.#fail('there is text outside the root element');
  }

  #markup(): void {
    if (this.#takes('<!--')) this.#until('-->', 'a comment');
    else if (this.#takes('<![CDATA[')) this.#addText(this.#until(']]>', 'a CDATA section'));
    else if (this.#takes('<?')) this.#until('?>', 'a processing instruction');
    else if (this.#takes('<!DOCTYPE')) this.#doctype();
    else if (this.#takes('</')) this.#endTag();
    else {
      this.#at++;
      this.#startTag();
    }
  }

  #doctype(): void {
    if (this.#until('>', 'the DOCTYPE').includes('[')) this.#fail('a DOCTYPE with declarations is not accepted');
  }

  #startTag(): void {
    const name = this.#name();
    if (this.#open.length === 0 && this.#document.members.size > 0) this.#fail('there is more than one root element');
    if (this.#open.length >= MAX_DEPTH) this.#fail(`it is nested more than ${MAX_DEPTH} levels deep`);
    const element: Element = { name, members: new Map(), text: '' };
    this.#attributes(element);
    if (this.#takes('/>')) this.#add(element);
    else if (this.#takes('>')) this.#open.push(element);
    else this.#fail(`the tag <${name}> is not closed`);
  }

  #attributes({ members }: Element): void {
    for (;;) {
      const blanks = this.#match(BLANKS);
      const next = this.#text[this.#at];
      if (next === '>' || next === '/' || next === undefined) return;
      if (blanks === '') this.#fail('a blank is due before an attribute');
      const name = `@${this.#name()}`;
      this.#match(BLANKS);
      if (!this.#takes('=')) this.#fail('an attribute has no value');
      this.#match(BLANKS);
      const quote = this.#takes('"')
        ? '"'
        : this.#takes("'")
          ? "'"
          : this.#fail('the value of an attribute has no quotes');
      const value = this.#until(quote, 'the value of an attribute');
      if (members.has(name) || value.includes('<')) this.#fail('an attribute stands twice or holds <');
      members.set(name, this.#decode(value.replace(/[\t\r\n]/g, ' ')));
    }
  }

  #endTag(): void {
    const name = this.#name();
    this.#match(BLANKS);
    const element = this.#open.pop();
    if (element === undefined || element.name !== name || !this.#takes('>')) {
      this.#fail(`</${name}> closes ${element ? `<${element.name}>` : 'nothing'}`);
    }
    this.#add(element);
  }

  /** Puts a finished element into the one around it. */
  #add({ name, members, text }: Element): void {
    const siblings = (this.#open.at(-1) ?? this.#document).members;
    const value = contentOf(members, text.trim());
    const present = siblings.get(name);
    if (present === undefined) siblings.set(name, value);
    else if (Array.isArray(present)) present.push(value);
    else siblings.set(name, [present, value]);
  }

  #decode(text: string): string {
    if (!text.includes('&')) return text;
    return text.replace(/&([^;]*)(;?)/g, (_all, name: string, end: string) => {
      const character = end === '' ? undefined : (ENTITIES[name] ?? characterOf(name));
      return (
        character ?? this.#fail('an entity is not one of &lt; &gt; &amp; &quot; &apos; or a number such as &#233;')
      );
    });
  }
}

function contentOf(members: JobObject, text: string): JobValue {
  if (members.size === 0) return text === '' ? null : text;
  if (text !== '') members.set('#text', text);
  return members;
}

function characterOf(name: string): string | undefined {
  const match = /^#(?:x([\da-f]{1,6})|(\d{1,7}))$/i.exec(name);
  if (match === null) return undefined;
  const code = match[1] ? Number.parseInt(match[1], 16) : Number(match[2]);
  return code === 0 || code > 0x10ffff ? undefined : String.fromCodePoint(code);
}
