import type { JobValue } from './types.ts';

/** Places in the text of an expression, from 0: of its first character and behind its last. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export type Comparator = '==' | '!=' | '<' | '<=' | '>' | '>=';

/** What the parser makes of an expression. `depth` is the longest way down, which bounds every later recursion. */
export type Syntax = Span & { readonly depth: number } & Construct;

export type Construct =
  | { readonly kind: 'current' }
  | { readonly kind: 'literal'; readonly value: JobValue }
  | { readonly kind: 'field'; readonly name: string }
  /** `right` on the result of `left`: `a.b`, `a | b`, `a[0]`. */
  | { readonly kind: 'chain'; readonly left: Syntax; readonly right: Syntax }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'slice'; readonly from: number | null; readonly to: number | null; readonly step: number }
  | { readonly kind: 'flatten'; readonly left: Syntax }
  /** `right` on every element of `left`. */
  | { readonly kind: 'projection'; readonly left: Syntax; readonly right: Syntax }
  /** `right` on every member of `left`. */
  | { readonly kind: 'members'; readonly left: Syntax; readonly right: Syntax }
  | { readonly kind: 'filter'; readonly left: Syntax; readonly condition: Syntax; readonly right: Syntax }
  | { readonly kind: 'list'; readonly items: readonly Syntax[] }
  | { readonly kind: 'hash'; readonly names: readonly string[]; readonly items: readonly Syntax[] }
  | { readonly kind: 'and' | 'or'; readonly left: Syntax; readonly right: Syntax }
  | { readonly kind: 'not'; readonly item: Syntax }
  | { readonly kind: 'compare'; readonly operator: Comparator; readonly left: Syntax; readonly right: Syntax }
  | { readonly kind: 'call'; readonly name: string; readonly items: readonly Syntax[] }
  | { readonly kind: 'reference'; readonly item: Syntax };

/** The parts of a construct, in the order of the text. */
export function partsOf(syntax: Construct): readonly Syntax[] {
  switch (syntax.kind) {
    case 'current':
    case 'literal':
    case 'field':
    case 'index':
    case 'slice':
      return [];
    case 'flatten':
      return [syntax.left];
    case 'filter':
      return [syntax.left, syntax.condition, syntax.right];
    case 'list':
    case 'hash':
    case 'call':
      return syntax.items;
    case 'not':
    case 'reference':
      return [syntax.item];
    default:
      return [syntax.left, syntax.right];
  }
}
