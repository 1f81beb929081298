import type { FieldPath } from '../definition.ts';

/**
 * The names in a field path such as `a.b`, from the outside in. `\.` is a dot inside a name; any other backslash stands for
 * itself. Null when a name is empty. Source: specification of jobs, section 5.
 */
export function parseFieldPath(text: string): FieldPath | null {
  const names: string[] = [];
  let name = '';
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\' && text[i + 1] === '.') {
      name += '.';
      i++;
    } else if (text[i] === '.') {
      names.push(name);
      name = '';
    } else name += text[i];
  }
  names.push(name);
  return names.includes('') ? null : names;
}

/** A name that is not a path: only `\.` is taken for a dot. */
export function unescapeDots(text: string): string {
  return text.replaceAll('\\.', '.');
}

/** A path as a job writes it. */
export function formatFieldPath(path: FieldPath): string {
  return path.map((name) => name.replaceAll('.', '\\.')).join('.');
}
