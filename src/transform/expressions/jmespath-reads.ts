import { FUNCTIONS } from './jmespath-functions.ts';
import { parseJmespath } from './jmespath-parser.ts';
import { partsOf, type Syntax } from './jmespath-syntax.ts';

/** First names of the fields that an expression reads of its record, in order of appearance; null when it may be any. */
export function readsOf(syntax: Syntax): readonly string[] | null {
  const names = new Set<string>();
  return collect(syntax, names) ? [...names] : null;
}

/** Adds what `syntax` reads of the current value; false when that is all of it. */
function collect(syntax: Syntax, names: Set<string>): boolean {
  switch (syntax.kind) {
    case 'field':
      names.add(syntax.name);
      return true;
    case 'current':
    case 'members':
      return syntax.kind === 'members' && syntax.left.kind !== 'current' && collect(syntax.left, names);
    case 'chain':
      // What stands behind a value other than the record itself can no longer read the record.
      return collect(syntax.left.kind === 'current' ? syntax.right : syntax.left, names);
    case 'flatten':
    case 'projection':
    case 'filter':
      return collect(syntax.left, names);
    case 'reference':
      return true;
    default:
      return partsOf(syntax).every((part) => collect(part, names));
  }
}

/** True when the same record may give another result later. */
export function isVolatileSyntax(syntax: Syntax): boolean {
  if (syntax.kind === 'call' && isVolatileCall(syntax)) return true;
  return partsOf(syntax).some(isVolatileSyntax);
}

function isVolatileCall({ name, items }: Syntax & { kind: 'call' }): boolean {
  if (FUNCTIONS.get(name)?.isVolatile) return true;
  if (name !== 'filter_entries') return false;
  const [, predicate] = items;
  // A predicate that only the record knows may be anything.
  if (predicate?.kind !== 'literal' || typeof predicate.value !== 'string') return true;
  return isVolatileSyntax(parseJmespath(predicate.value));
}

/** Functions whose result may be an object. */
const OBJECT_FUNCTIONS: ReadonlySet<string> = new Set([
  'filter_entries',
  'from_entries',
  'json_parse',
  'max_by',
  'merge',
  'min_by',
  'not_null',
  'xml_to_dict',
]);

/** False when the result is no object whatever the record holds, or only by chance: a plain field is none. */
export function canGiveObject(syntax: Syntax): boolean {
  switch (syntax.kind) {
    case 'hash':
    case 'current':
      return true;
    case 'literal':
      return syntax.value instanceof Map;
    case 'call':
      return OBJECT_FUNCTIONS.has(syntax.name);
    case 'chain':
      return syntax.right.kind === 'current' ? canGiveObject(syntax.left) : canGiveObject(syntax.right);
    case 'and':
    case 'or':
      return canGiveObject(syntax.left) || canGiveObject(syntax.right);
    default:
      return false;
  }
}
