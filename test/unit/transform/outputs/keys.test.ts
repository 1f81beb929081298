import { describe, expect, it } from 'vitest';
import { KeyTemplate } from '../../../../src/transform/default-key.ts';
import { compileJmespath } from '../../../../src/transform/expressions/jmespath.ts';
import { NumberText } from '../../../../src/types.ts';
import { CUSTOMER, column, fullImage, image, jm, mapping, sql, world } from './world.ts';

const ADA = { id: 7, fname: 'Ada', email: null, tier: 'gold', active: true };

function keyOf(text: string, columns: Record<string, unknown>): unknown {
  const [write] = world({ key: jm(text) }).write(image('c', columns));
  return (write as { key: string }).key;
}

describe('the default key', () => {
  it.each([
    ['{table}:{key}', 'customer:id:7:part:b'],
    ['{db}.{schema}.{table}:{key}', 'shop.public.customer:id:7:part:b'],
    ['{server_name}/{key}/end', 'rdi/id:7:part:b/end'],
  ])('follows the template %s', (template, key) => {
    const { write } = world({}, { keyTemplate: new KeyTemplate(template) });
    expect(write(image('c', ADA, { key: { id: 7, part: 'b' } }))).toMatchObject([{ kind: 'hash', key }]);
  });

  it('takes a name with braces for a name', () => {
    const table = { ...CUSTOMER, table: '{db}{key}' };
    expect(world({}).write(image('c', ADA, { table }))).toMatchObject([{ key: '{db}{key}:id:7' }]);
  });

  it('is refused where there is no primary key, and a custom key is not', () => {
    const keyless = image('c', ADA, { key: null });
    expect(() => world({}).write(keyless)).toThrow(
      expect.objectContaining({ code: 'TRANSFORM_NO_KEY', message: expect.stringContaining('primary key') }),
    );
    expect(world({ key: jm("concat(['c:', id])") }).write(keyless)).toMatchObject([{ key: 'c:7' }]);
  });

  it('is refused where a key column is null', () => {
    expect(() => world({}).write(image('c', ADA, { key: { id: null } }))).toThrow(
      expect.objectContaining({ code: 'TRANSFORM_BAD_KEY' }),
    );
  });

  it('depends on no column', () => {
    expect(world({}).output.place).toEqual([]);
  });
});

describe('a custom key', () => {
  it.each([
    ['a text as it is', 'fname', 'Ada'],
    ['a number in decimal', 'id', '7'],
    ['a boolean as 1', 'active', '1'],
    ['a boolean as 0', '`false`', '0'],
    ['a large integer exactly', 'big', '9007199254740993'],
    ['a real with its digits', 'real', '100.0'],
    ['a large real without exponent', 'huge', '1200000000000000000000'],
    ['a small real without exponent', 'tiny', '-0.00000015'],
  ])('takes %s', (_, text, key) => {
    const numbers = {
      big: new NumberText('9007199254740993'),
      real: new NumberText('100.0'),
      huge: new NumberText('1.2e+21'),
      tiny: new NumberText('-1.5E-7'),
    };
    expect(keyOf(text, { ...ADA, ...numbers })).toBe(key);
  });

  it.each(['email', "''", '`{}`', '[id]', 'nope'])('rejects what %s gives, naming the key expression', (text) => {
    expect(() => keyOf(text, ADA)).toThrow(
      expect.objectContaining({
        code: 'TRANSFORM_BAD_OUTPUT',
        message: expect.stringContaining('key expression'),
        expression: text,
      }),
    );
  });

  it('that fails rejects with the reason of the failure', () => {
    expect(() => keyOf('abs(fname)', ADA)).toThrow(/The key expression abs\(fname\) fails: .*abs/);
  });

  it('that was compiled strictly rejects what would be None', () => {
    const text = "concat(['e:', email])";
    const key = { ...jm(text), ...compileJmespath(text, undefined, { strictText: true } as never) };
    expect(() => world({ key }).write(image('c', ADA))).toThrow(/key expression.*null/);
  });

  it('warns once when a null becomes None', () => {
    const { write, warnings } = world({ key: jm("concat(['e:', email])") });
    expect(write(image('c', ADA))).toMatchObject([{ key: 'e:None' }]);
    write(image('c', ADA));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/customers.*output\[0\] redis\.write.*customer.*concat.*strict_keys/);
  });

  it('warns of a delete whose key is made of after', () => {
    const { write, warnings } = world({ key: jm("concat(['o:', after.id])") }, { rowFormat: 'full' });
    expect(write(fullImage('d', ADA))).toEqual([{ kind: 'delete', key: 'o:None' }]);
    expect(warnings).toHaveLength(1);
  });

  it('does not warn of the name None', () => {
    const { write, warnings } = world({ key: jm('fname') });
    write(image('c', { id: 1, fname: 'None', email: null }));
    expect(warnings).toEqual([]);
  });

  it.each([
    ['jmespath by name', jm("concat(['e:', body])"), true],
    ['jmespath over all', jm('to_string(@)'), true],
    ['sql', sql("'e:' || body"), true],
    ['sql in another case', sql("'e:' || BODY"), true],
    ['jmespath that reads others', jm('fname || body'), false],
    ['sql that reads others in another case', sql('FNAME'), false],
  ])('%s is rejected only when it reads a column that was not delivered', (_, key, isRejected) => {
    const run = () => world({ key }).write(image('u', ADA, { missing: ['body'] }));
    if (isRejected) expect(run).toThrow(/key expression.*does not carry \(body\)/);
    else expect(run()).toMatchObject([{ key: 'Ada' }]);
  });

  it('in full format is rejected only when it reads a column that was not delivered', () => {
    const run = (text: string) =>
      world({ key: jm(text) }, { rowFormat: 'full' }).write(fullImage('u', ADA, { missing: ['body'] }));
    expect(run('after.fname')).toMatchObject([{ key: 'Ada' }]);
    expect(run('keys(key)[0]')).toMatchObject([{ key: 'id' }]);
    expect(() => run("concat(['e', after.body])")).toThrow(/body/);
  });

  it('names the fields that it depends on, or says that it may be any', () => {
    expect(world({ key: jm("concat([tier, ':', id])") }).output.place).toEqual(['tier', 'id']);
    expect(world({ key: jm('to_string(@)') }).output.place).toBeNull();
  });
});

describe('a cache', () => {
  it('spares the evaluation of a key and an expiry whose fields are the same, and changes nothing', () => {
    let evaluations = 0;
    const counted = (text: string) => {
      const expression = { ...jm(text), cache: { maxSize: 10, ttlMs: 60_000 } };
      const { evaluate } = expression;
      expression.evaluate = (record) => {
        evaluations++;
        return evaluate(record);
      };
      return expression;
    };
    const { write } = world({ key: counted('tier'), expire: counted('id') });
    for (let i = 0; i < 3; i++) expect(write(image('c', ADA))).toMatchObject([{ key: 'gold', expire: 7 }]);
    expect(evaluations).toBe(2);
    expect(write(image('c', { ...ADA, tier: 'silver' }))).toMatchObject([{ key: 'silver', expire: 7 }]);
    expect(() => write(image('u', { id: 7 }, { missing: ['tier'] }))).toThrow(/not carry/);
  });
});

describe('a changed key', () => {
  const key = jm("concat(['tier:', tier])");
  const old = image('u', ADA);
  const silver = image('u', { ...ADA, tier: 'silver' });

  it.each([
    ['hash', { dataType: 'hash' as const }],
    ['json', { dataType: 'json' as const }],
    ['string', { dataType: 'string' as const, value: column('fname') }],
  ])('of a %s deletes the old one first', (kind, options) => {
    expect(world({ ...options, key }).write(silver, old)).toMatchObject([
      { kind: 'delete', key: 'tier:gold' },
      { kind, key: 'tier:silver' },
    ]);
  });

  it('that stays the same deletes nothing', () => {
    expect(world({ key }).write(image('u', { ...ADA, fname: 'Eve' }), old)).toMatchObject([{ kind: 'hash' }]);
  });

  it('removes only the fields that are written, where a key is shared', () => {
    const options = { key, onDelete: 'fields' as const, mapping: mapping(['fname', 'first']) };
    expect(world(options).write(silver, old)).toMatchObject([
      { kind: 'remove_fields', type: 'hash', key: 'tier:gold', paths: [['first']] },
      { kind: 'hash', key: 'tier:silver' },
    ]);
  });

  it('is not known when the earlier state has no key', () => {
    expect(world({ key: jm('email') }).write(image('u', { ...ADA, email: 'a@x' }), old)).toMatchObject([
      { kind: 'hash', key: 'a@x' },
    ]);
  });
});
