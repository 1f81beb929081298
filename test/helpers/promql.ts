/** Just enough of PromQL to say which metrics and labels an expression asks for. */

export interface Asked {
  readonly metric: string;
  /** Labels in its matchers, with the values that must match exactly. */
  readonly labels: readonly { readonly name: string; readonly operator: string; readonly value: string }[];
}

export interface Expression {
  readonly asked: readonly Asked[];
  /** Labels that it groups by. */
  readonly grouping: readonly string[];
}

const TOKEN = /\s+|#[^\n]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\[[^\]]*\]|[a-zA-Z_:][\w:]*|\d[\w.]*|[=!]~|[<>=!]=|./gs;
const GROUPING = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
const WORDS = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan']);

export function readExpression(text: string): Expression {
  const tokens = (text.match(TOKEN) ?? []).filter((token) => token.trim() !== '' && !token.startsWith('#'));
  const asked: Asked[] = [];
  const grouping: string[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] as string;
    if (!/^[a-zA-Z_:]/.test(token)) continue;
    const next = tokens[i + 1];
    if (GROUPING.has(token.toLowerCase())) {
      const end = tokens.indexOf(')', i);
      grouping.push(...tokens.slice(i + 2, end).filter((one) => one !== ','));
      i = end;
    } else if (next === '{') {
      const end = tokens.indexOf('}', i);
      asked.push({ metric: token, labels: readMatchers(tokens.slice(i + 2, end)) });
      i = end;
    } else if (next !== '(' && !isAggregation(tokens, i) && !WORDS.has(token.toLowerCase())) {
      asked.push({ metric: token, labels: [] });
    }
  }
  return { asked, grouping };
}

/** `sum by (…)` and the like: a name in front of a grouping is no metric. */
function isAggregation(tokens: readonly string[], index: number): boolean {
  return ['by', 'without'].includes(tokens[index + 1] ?? '');
}

function readMatchers(tokens: readonly string[]): Asked['labels'] {
  const parts = tokens.filter((token) => token !== ',');
  return Array.from({ length: parts.length / 3 }, (_, i) => {
    const [name = '', operator = '', value = ''] = parts.slice(i * 3, i * 3 + 3);
    return { name, operator, value: value.slice(1, -1) };
  });
}

/** Labels of every series by the name of the metric, and the values of each label, as a Prometheus page shows them. */
export function readSeries(text: string): Map<string, Map<string, Set<string>>> {
  const series = new Map<string, Map<string, Set<string>>>();
  for (const line of text.split('\n')) {
    const found = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$/.exec(line);
    if (!found) continue;
    const [, name = '', labels = ''] = found;
    const known = series.get(name) ?? new Map<string, Set<string>>();
    series.set(name, known);
    for (const [, label = '', value = ''] of labels.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)) {
      known.set(label, (known.get(label) ?? new Set()).add(value));
    }
  }
  return series;
}
