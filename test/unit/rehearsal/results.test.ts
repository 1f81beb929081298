import { describe, expect, it } from 'vitest';
import { diffLines } from '../../../src/rehearsal/diff.ts';
import { junitXml } from '../../../src/rehearsal/index.ts';
import type { TestResult } from '../../../src/rehearsal/types.ts';

describe('diffLines', () => {
  it('shows what is missing and what came, with the lines around', () => {
    expect(diffLines(['a', 'b', 'c'], ['a', 'x', 'c', 'd'])).toEqual(['  a', '- b', '+ x', '  c', '+ d']);
  });

  it('cuts long stretches that are the same', () => {
    const lines = Array.from({ length: 20 }, (_, i) => `line ${i}`);
    const diff = diffLines(lines, [...lines.slice(0, 10), 'new', ...lines.slice(10)]);
    expect(diff).toEqual([
      '  …',
      '  line 7',
      '  line 8',
      '  line 9',
      '+ new',
      '  line 10',
      '  line 11',
      '  line 12',
      '  …',
    ]);
  });

  it('shows both sides whole when they are too long to align', () => {
    const lines = Array.from({ length: 3000 }, (_, i) => String(i));
    expect(diffLines(lines, lines.toReversed())).toHaveLength(6000);
  });
});

const RESULT: TestResult = {
  name: 'a < "b" & \u0001 \ud800',
  file: 'jobs/tests/a.yaml',
  line: 3,
  passed: false,
  seconds: 0.25,
  differences: [{ of: 'keys', lines: ['- <x>', '+ ]]>'] }],
  warnings: [],
  events: [],
};

describe('junitXml', () => {
  it('is well-formed and counts tests and failures by file', () => {
    const passed = { ...RESULT, name: 'ok', passed: true, differences: [] };
    const suites = parseXml(junitXml([RESULT, passed, { ...passed, file: 'b.yaml' }]));
    expect(suites).toMatchObject({ name: 'testsuites', attributes: { tests: '3', failures: '1' } });
    const [first, second] = suites.children;
    expect(first).toMatchObject({
      name: 'testsuite',
      attributes: { name: 'jobs/tests/a.yaml', tests: '2', failures: '1' },
    });
    expect(second).toMatchObject({ attributes: { tests: '1', failures: '0' } });
    const [failed, other] = first!.children;
    expect(failed!.attributes).toMatchObject({ name: 'a < "b" & \ufffd \ufffd', line: '3', time: '0.250' });
    expect(failed!.children[0]).toMatchObject({ name: 'failure', text: 'keys:\n- <x>\n+ ]]>' });
    expect(other!.children).toEqual([]);
  });
});

interface Element {
  readonly name: string;
  readonly attributes: Record<string, string>;
  readonly children: Element[];
  text: string;
}

/** A strict reader of the little XML that there is: elements, attributes in double quotes, the five entities. */
function parseXml(xml: string): Element {
  const root: Element = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  const body = xml.replace(/^<\?xml version="1.0" encoding="UTF-8"\?>\n/, '');
  expect(body).not.toBe(xml);
  const token = /<\/(\w+)>|<(\w+)((?: \w+="[^"<]*")*)(\/?)>|([^<]+)/gy;
  let end = 0;
  for (const match of body.matchAll(token)) {
    const [all, closed, opened, attributes = '', isEmpty, text] = match;
    expect(match.index).toBe(end);
    end += all.length;
    if (closed !== undefined) expect(open.pop()!.name).toBe(closed);
    else if (opened !== undefined) {
      const pairs = [...attributes.matchAll(/ (\w+)="([^"]*)"/g)].map(([, name, value]) => [name, plainText(value!)]);
      const element = { name: opened, attributes: Object.fromEntries(pairs), children: [], text: '' };
      open.at(-1)!.children.push(element);
      if (isEmpty === '') open.push(element);
    } else if (text!.trim() !== '') open.at(-1)!.text += plainText(text!);
  }
  expect([end, open.length, root.children.length]).toEqual([body.length, 1, 1]);
  return root.children[0]!;
}

function plainText(text: string): string {
  const known: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replace(
    /&([^;]*;?)/g,
    (_, name: string) => known[name.replace(';', '')] ?? expect.fail(`entity ${name}`),
  );
}
