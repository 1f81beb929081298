import { closestWord } from '../../lib/closest.ts';
import {
  argumentOf,
  type Call,
  type Evaluate,
  type FunctionRule,
  maskOf,
  type Parameter,
  REFERENCE,
  refuseType,
  type Source,
  wordsOf,
} from './jmespath-call.ts';
import { compileComparison } from './jmespath-compare.ts';
import { FUNCTIONS } from './jmespath-functions.ts';
import { parseJmespath } from './jmespath-parser.ts';
import { evaluateFilter, evaluateFlatten, evaluateProjection, evaluateSlice } from './jmespath-projections.ts';
import type { Syntax } from './jmespath-syntax.ts';
import { ExpressionSyntaxError, type JobObject, type JobValue } from './types.ts';
import { isTruthy } from './values.ts';

/**
 * Turns syntax into closures. The hot forms (a field, a path of fields, a call with one to three arguments) have their own.
 * @throws ExpressionSyntaxError for unknown functions, wrong numbers of arguments, misplaced references, and literal arguments
 * that their function cannot use (patterns, predicates, names of hashes)
 */
export function compileSyntax(syntax: Syntax, source: Source): Evaluate {
  const compile = (part: Syntax): Evaluate => compileSyntax(part, source);
  switch (syntax.kind) {
    case 'current':
      return (value) => value;
    case 'literal':
      return constant(syntax.value);
    case 'field':
      return compileField(syntax.name);
    case 'chain':
      return compileChain(syntax.left, syntax.right, compile);
    case 'index':
      return compileIndex(syntax.index);
    case 'slice':
      return (value) => (Array.isArray(value) ? evaluateSlice(value, syntax.from, syntax.to, syntax.step) : null);
    case 'flatten':
      return compileFlatten(compile(syntax.left));
    case 'projection':
      return compileProjection(compile(syntax.left), compile(syntax.right));
    case 'members':
      return compileMembers(compile(syntax.left), compile(syntax.right));
    case 'filter':
      return compileFilter(compile(syntax.left), compile(syntax.condition), compile(syntax.right));
    case 'list':
      return compileList(syntax.items.map(compile));
    case 'hash':
      return compileHash(syntax.names, syntax.items.map(compile));
    case 'and':
    case 'or':
      return compileLogic(syntax.kind === 'or', compile(syntax.left), compile(syntax.right));
    case 'not': {
      const item = compile(syntax.item);
      return (value) => !isTruthy(item(value));
    }
    case 'compare':
      return compileComparison(syntax, compile(syntax.left), compile(syntax.right), source.text);
    case 'call':
      return compileCall(syntax, source);
    case 'reference':
      throw new ExpressionSyntaxError(
        'a reference (&) can only be an argument of a function that takes one',
        syntax.start,
      );
  }
}

function constant(value: JobValue): Evaluate {
  return () => value;
}

function compileField(name: string): Evaluate {
  return (value) => (value instanceof Map ? (value.get(name) ?? null) : null);
}

function compileChain(left: Syntax, right: Syntax, compile: (part: Syntax) => Evaluate): Evaluate {
  const first = compile(left);
  if (right.kind === 'current') return first;
  if (left.kind === 'current') return compile(right);
  if (right.kind === 'field') {
    const { name } = right;
    return (value) => {
      const parent = first(value);
      return parent instanceof Map ? (parent.get(name) ?? null) : null;
    };
  }
  const second = compile(right);
  return (value) => second(first(value));
}

function compileIndex(index: number): Evaluate {
  if (index < 0) return (value) => (Array.isArray(value) ? (value[value.length + index] ?? null) : null);
  return (value) => (Array.isArray(value) ? (value[index] ?? null) : null);
}

function compileFlatten(left: Evaluate): Evaluate {
  return (value) => {
    const array = left(value);
    return Array.isArray(array) ? evaluateFlatten(array) : null;
  };
}

function compileProjection(left: Evaluate, right: Evaluate): Evaluate {
  return (value) => {
    const array = left(value);
    return Array.isArray(array) ? evaluateProjection(array, right) : null;
  };
}

function compileMembers(left: Evaluate, right: Evaluate): Evaluate {
  return (value) => {
    const object = left(value);
    return object instanceof Map ? evaluateProjection(object.values(), right) : null;
  };
}

function compileFilter(left: Evaluate, condition: Evaluate, right: Evaluate): Evaluate {
  return (value) => {
    const array = left(value);
    return Array.isArray(array) ? evaluateFilter(array, condition, right) : null;
  };
}

function compileList(items: readonly Evaluate[]): Evaluate {
  return (value) => (value === null ? null : items.map((item) => item(value)));
}

function compileHash(names: readonly string[], items: readonly Evaluate[]): Evaluate {
  return (value) => {
    if (value === null) return null;
    const object: JobObject = new Map();
    for (let i = 0; i < items.length; i++) object.set(names[i]!, items[i]!(value));
    return object;
  };
}

function compileLogic(isOr: boolean, left: Evaluate, right: Evaluate): Evaluate {
  return (value) => {
    const first = left(value);
    return isTruthy(first) === isOr ? first : right(value);
  };
}

function compileCall(syntax: Syntax & { kind: 'call' }, source: Source): Evaluate {
  const rule = FUNCTIONS.get(syntax.name);
  if (rule === undefined) return refuseUnknown(syntax);
  const { items } = syntax;
  checkCount(rule, syntax);
  const parameters = items.map((_, index) => rule.parameters[index] ?? rule.parameters.at(-1)!);
  items.forEach((item, index) => {
    checkReference(rule.name, index, parameters[index]!, item);
  });
  let reference: Evaluate | null = null;
  const values = items.map((item): Evaluate => {
    if (item.kind !== 'reference') return compileSyntax(item, source);
    reference = compileSyntax(item.item, source);
    return constant(null);
  });
  const call: Call = {
    name: rule.name,
    args: items.map((item) => argumentOf(item, source.text)),
    reference,
    clock: source.clock,
    strictText: source.strictText,
    compile: (text) => compileSyntax(parseJmespath(text), { ...source, text }),
  };
  return bind(rule, call, values, parameters);
}

function refuseUnknown({ name, start }: Syntax & { kind: 'call' }): never {
  const close = closestWord(name, [...FUNCTIONS.keys()]);
  throw new ExpressionSyntaxError(`there is no function ${name}${close ? `; did you mean ${close}?` : ''}`, start);
}

function checkCount({ name, parameters }: FunctionRule, { items, start }: Syntax & { kind: 'call' }): void {
  const required = parameters.filter(({ isOptional }) => !isOptional).length;
  const most = parameters.some(({ isRest }) => isRest) ? Number.POSITIVE_INFINITY : parameters.length;
  if (items.length >= required && items.length <= most) return;
  const shape = parameters.map(({ name, isOptional, isRest }) => `${name}${isRest ? '…' : ''}${isOptional ? '?' : ''}`);
  const problem = `${name}(${shape.join(', ')}) does not take ${items.length} argument${items.length === 1 ? '' : 's'}`;
  throw new ExpressionSyntaxError(problem, start);
}

/** A reference where a value is due, or a value where a reference is due. */
function checkReference(name: string, index: number, { accepts }: Parameter, { kind, start }: Syntax): void {
  if ((accepts === REFERENCE) === (kind === 'reference')) return;
  throw new ExpressionSyntaxError(`argument ${index + 1} of ${name} must be ${wordsOf(accepts)}`, start);
}

/** Joins arguments and function; values are checked against the parameters on the way. */
function bind(rule: FunctionRule, call: Call, values: readonly Evaluate[], parameters: readonly Parameter[]): Evaluate {
  const accepts = parameters.map((parameter) => (parameter.accepts === REFERENCE ? maskOf(null) : parameter.accepts));
  const { runAll } = rule;
  if (runAll) {
    return (value) => {
      const all = values.map((argument, index) => checked(argument(value), accepts[index]!, call, index));
      return runAll(all, call);
    };
  }
  const run = rule.prepare ? rule.prepare(call) : rule.run!;
  const [a, b, c] = values;
  const [acceptsA, acceptsB, acceptsC] = accepts as [number, number, number];
  if (!a) return () => run(null, null, null, call);
  if (!b) return (value) => run(checked(a(value), acceptsA, call, 0), null, null, call);
  if (!c) {
    return (value) => run(checked(a(value), acceptsA, call, 0), checked(b(value), acceptsB, call, 1), null, call);
  }
  return (value) =>
    run(
      checked(a(value), acceptsA, call, 0),
      checked(b(value), acceptsB, call, 1),
      checked(c(value), acceptsC, call, 2),
      call,
    );
}

function checked(value: JobValue, accepts: number, call: Call, index: number): JobValue {
  return (accepts & maskOf(value)) === 0 ? refuseType(call, index, accepts, value) : value;
}
