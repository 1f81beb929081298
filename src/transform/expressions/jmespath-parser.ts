import { type SymbolToken, type Token, tokensOf } from './jmespath-lexer.ts';
import { type Comparator, type Construct, partsOf, type Syntax } from './jmespath-syntax.ts';
import { ExpressionSyntaxError } from './types.ts';

/** How strongly a token behind an expression binds to it. What is not here ends an expression. */
const BINDING: Partial<Record<Token['kind'], number>> = {
  '|': 1,
  '||': 2,
  '&&': 3,
  '==': 5,
  '!=': 5,
  '<': 5,
  '<=': 5,
  '>': 5,
  '>=': 5,
  '[]': 9,
  '*': 20,
  '[?': 21,
  '.': 40,
  '{': 50,
  '[': 55,
  '(': 60,
};
const NOT_BINDING = 45;

/** A projection goes on over what binds at least so strongly. */
const PROJECTION_STOP = 10;

/** Deeper expressions would exhaust the stack; nobody writes such by hand. */
const MAX_DEPTH = 200;

const NUMBER_ADVICE =
  'Numbers stand in back quotes (`1`), names with a dash in double quotes ("my-1"); there is no arithmetic';

/**
 * Parses JMESPath as of 2015 with raw strings (JEP-12), as the Python library 1.x does; tolerated beyond it is nothing but a
 * comma behind the last argument of a function.
 * @throws ExpressionSyntaxError
 */
export function parseJmespath(text: string): Syntax {
  return new Parser(text).parse();
}

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  #nesting = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokensOf(text);
  }

  parse(): Syntax {
    if (this.#isAtEnd) throw new ExpressionSyntaxError('the expression is empty', 0);
    const syntax = this.#expression(0);
    if (!this.#isAtEnd) this.#fail();
    return syntax;
  }

  get #token(): Token {
    return this.#tokens[this.#at]!;
  }

  /** Asked instead of remembered: taking a token changes it. */
  get #isAtEnd(): boolean {
    return this.#token.kind === 'end';
  }

  get #end(): number {
    return this.#at === 0 ? 0 : this.#tokens[this.#at - 1]!.end;
  }

  #fail(expected?: string, token = this.#token): never {
    const { start, end, kind } = token;
    const found = kind === 'end' ? 'the expression ends too early' : `unexpected ${this.#text.slice(start, end)}`;
    const remedy = expected ?? (kind === 'number' ? NUMBER_ADVICE : undefined);
    throw new ExpressionSyntaxError(remedy === undefined ? found : `${found}. ${remedy}`, start);
  }

  #takes(kind: SymbolToken): boolean {
    if (this.#token.kind !== kind) return false;
    this.#at++;
    return true;
  }

  #expect(kind: SymbolToken): void {
    if (!this.#takes(kind)) this.#fail(`Here ${kind} is due`);
  }

  /** Every construct is made here, so that none is too deep. */
  #make(start: number, construct: Construct): Syntax {
    const depth = 1 + partsOf(construct).reduce((deepest, part) => Math.max(deepest, part.depth), 0);
    if (depth > MAX_DEPTH) this.#tooDeep(start);
    return { ...construct, depth, start, end: this.#end };
  }

  #tooDeep(offset: number): never {
    throw new ExpressionSyntaxError(`the expression is nested more than ${MAX_DEPTH} levels deep`, offset);
  }

  /** The longest expression here whose operators bind more strongly than `binding`. */
  #expression(binding: number): Syntax {
    if (++this.#nesting > MAX_DEPTH) this.#tooDeep(this.#token.start);
    let left = this.#first();
    while ((BINDING[this.#token.kind] ?? 0) > binding) left = this.#behind(left);
    this.#nesting--;
    return left;
  }

  /** A construct that begins an expression. */
  #first(): Syntax {
    const token = this.#token;
    const { start } = token;
    this.#at++;
    switch (token.kind) {
      case 'literal':
        return this.#make(start, { kind: 'literal', value: token.value });
      case 'name':
        if (token.quoted && this.#token.kind === '(') this.#fail('Names of functions stand without quotes', token);
        return this.#make(start, { kind: 'field', name: token.name });
      case '@':
        return this.#make(start, { kind: 'current' });
      case '!':
        return this.#make(start, { kind: 'not', item: this.#expression(NOT_BINDING) });
      case '&':
        return this.#make(start, { kind: 'reference', item: this.#expression(0) });
      case '(':
        return this.#parenthesis(start);
      case '{':
        return this.#hash(start);
      case '*':
        return this.#make(start, { kind: 'members', left: this.#current(start), right: this.#projected(20) });
      case '[]':
      case '[?':
        this.#at--;
        return this.#behind(this.#current(start));
      case '[':
        return this.#beginsBracket() ? this.#bracket(this.#current(start)) : this.#list(start);
      default:
        this.#at--;
        return this.#fail();
    }
  }

  #current(start: number): Syntax {
    return { kind: 'current', depth: 1, start, end: start };
  }

  /** The brackets count, so that the text of whatever begins with them can be cut out and stands by itself. */
  #parenthesis(start: number): Syntax {
    const inside = this.#expression(0);
    this.#expect(')');
    return { ...inside, start, end: this.#end };
  }

  /** A construct that follows `left`. */
  #behind(left: Syntax): Syntax {
    const token = this.#token;
    this.#at++;
    const { start } = left;
    switch (token.kind) {
      case '.':
        if (!this.#takes('*')) return this.#make(start, { kind: 'chain', left, right: this.#afterDot(40) });
        return this.#make(start, { kind: 'members', left, right: this.#projected(40) });
      case '|':
        return this.#make(start, { kind: 'chain', left, right: this.#expression(1) });
      case '||':
        return this.#make(start, { kind: 'or', left, right: this.#expression(2) });
      case '&&':
        return this.#make(start, { kind: 'and', left, right: this.#expression(3) });
      case '[]': {
        const flat = this.#make(start, { kind: 'flatten', left });
        return this.#make(start, { kind: 'projection', left: flat, right: this.#projected(9) });
      }
      case '[?':
        return this.#filter(left);
      case '[':
        return this.#bracket(left);
      case '(':
        return this.#call(left, token);
      default:
        return this.#comparison(left, token);
    }
  }

  #comparison(left: Syntax, token: Token): Syntax {
    const { kind } = token;
    if (BINDING[kind] !== 5) this.#fail(undefined, token);
    return this.#make(left.start, { kind: 'compare', operator: kind as Comparator, left, right: this.#expression(5) });
  }

  #filter(left: Syntax): Syntax {
    const condition = this.#expression(0);
    this.#expect(']');
    const right = this.#token.kind === '[]' ? this.#current(this.#end) : this.#projected(21);
    return this.#make(left.start, { kind: 'filter', left, condition, right });
  }

  #call(left: Syntax, parenthesis: Token): Syntax {
    if (left.kind !== 'field') this.#fail('Only the name of a function may stand before it', parenthesis);
    const items: Syntax[] = [];
    while (!this.#takes(')')) {
      items.push(this.#expression(0));
      if (this.#token.kind !== ')') this.#expect(',');
    }
    return this.#make(left.start, { kind: 'call', name: left.name, items });
  }

  /** True behind a `[` that picks elements, false for a list of expressions. */
  #beginsBracket(): boolean {
    const { kind } = this.#token;
    if (kind === '*') return this.#tokens[this.#at + 1]!.kind === ']';
    return kind === 'number' || kind === ':';
  }

  /** An index, a slice or `[*]`, behind its opening bracket. */
  #bracket(left: Syntax): Syntax {
    const { start } = left;
    if (this.#takes('*')) {
      this.#expect(']');
      return this.#make(start, { kind: 'projection', left, right: this.#projected(20) });
    }
    const token = this.#token;
    if (token.kind === 'number' && this.#tokens[this.#at + 1]!.kind === ']') {
      this.#at += 2;
      const right = this.#make(token.start, { kind: 'index', index: token.number });
      return this.#make(start, { kind: 'chain', left, right });
    }
    if (token.kind !== 'number' && token.kind !== ':') {
      this.#fail('Behind [ stands a number, a slice such as 1:3, * or a ?condition');
    }
    const slice = this.#make(start, { kind: 'chain', left, right: this.#slice() });
    return this.#make(start, { kind: 'projection', left: slice, right: this.#projected(20) });
  }

  #slice(): Syntax {
    const { start } = this.#token;
    const parts: [number | null, number | null, number | null] = [null, null, null];
    let part = 0;
    while (!this.#takes(']')) {
      const token = this.#token;
      if (token.kind === ':' && part < 2) part++;
      else if (token.kind === 'number' && parts[part] === null) parts[part] = token.number;
      else this.#fail('A slice is written [from:to:step]');
      if (token.kind === 'number' && part === 2 && token.number === 0) this.#fail('The step of a slice cannot be 0');
      this.#at++;
    }
    const [from, to, step] = parts;
    return this.#make(start, { kind: 'slice', from, to, step: step ?? 1 });
  }

  #list(start: number): Syntax {
    const items: Syntax[] = [];
    do items.push(this.#expression(0));
    while (this.#takes(','));
    this.#expect(']');
    return this.#make(start, { kind: 'list', items });
  }

  #hash(start: number): Syntax {
    const names: string[] = [];
    const items: Syntax[] = [];
    do {
      const token = this.#token;
      if (token.kind !== 'name') this.#fail('Between { and } stands name: expression');
      this.#at++;
      this.#expect(':');
      names.push(token.name);
      items.push(this.#expression(0));
    } while (this.#takes(','));
    this.#expect('}');
    return this.#make(start, { kind: 'hash', names, items });
  }

  #afterDot(binding: number): Syntax {
    const { kind, start } = this.#token;
    if (kind === 'name' || kind === '*') return this.#expression(binding);
    if (this.#takes('[')) return this.#list(start);
    if (this.#takes('{')) return this.#hash(start);
    return this.#fail('Behind a dot stands a name, *, [ or {');
  }

  /** What a projection does to each of its elements: all that follows it up to a weaker operator. */
  #projected(binding: number): Syntax {
    const { kind } = this.#token;
    if ((BINDING[kind] ?? 0) < PROJECTION_STOP) return this.#current(this.#end);
    if (kind === '[' || kind === '[?') return this.#expression(binding);
    if (this.#takes('.')) return this.#afterDot(binding);
    return this.#fail();
  }
}
