import { describe, expect, it } from 'vitest';
import { JsonText } from '../../../../src/types.ts';
import type { TargetWrite } from '../../../../src/write/types.ts';
import { bare, column, fullImage, image, jm, mapping, world } from './world.ts';

const GOLD = { id: 7, tier: 'gold', tags: ['a', 'b'] };
const SILVER = { ...GOLD, tier: 'silver' };
const when = jm("tier == 'gold'");

describe('when', () => {
  const { write, answer, output } = world({ when });

  it('leaves out records for which it is not true', () => {
    expect(write(image('c', SILVER))).toEqual([]);
    expect(answer(image('c', SILVER))).toBe(false);
    expect(answer(image('c', GOLD))).toBe(true);
  });

  it('takes away what the row left while it was true', () => {
    expect(write(image('u', SILVER), image('u', GOLD))).toEqual([{ kind: 'delete', key: 'customer:id:7' }]);
    expect(answer(image('u', SILVER), image('u', GOLD))).toBe(true);
    expect(write(image('u', SILVER), image('u', SILVER))).toEqual([]);
    expect(output.place).toEqual(['tier']);
  });

  it('removes nothing of a state for which it was not true', () => {
    const { write: writeSet } = world({ dataType: 'set', key: jm('tier'), member: column('id'), when });
    expect(writeSet(image('u', GOLD), image('u', SILVER))).toMatchObject([{ key: 'gold', isMember: true }]);
  });

  it('judges a delete by the row that was deleted, and not without it', () => {
    expect(write(image('d', SILVER))).toEqual([]);
    expect(write(image('d', GOLD))).toHaveLength(1);
    expect(write(image('d', { id: 7 }, { before: null }))).toEqual([{ kind: 'delete', key: 'customer:id:7' }]);
  });

  it('takes 0 for false, as filters do', () => {
    expect(world({ when: jm('`0`') }).answer(image('c', GOLD))).toBe(false);
  });

  it('that fails rejects', () => {
    expect(() => world({ when: jm('abs(tier)') }).write(image('c', GOLD))).toThrow(/when expression abs\(tier\) fails/);
  });

  it('that reads what was not delivered rejects', () => {
    expect(() => write(image('u', { id: 7 }, { missing: ['tier'] }))).toThrow(/when expression.*tier/);
  });

  it('applies to streams', () => {
    const stream = world({ dataType: 'stream', key: jm("'s'"), when });
    expect(stream.answer(image('u', SILVER))).toBe(false);
    expect(stream.write(image('u', GOLD))).toHaveLength(1);
  });

  it('lets a key pass from one output to another in any order', () => {
    const gold = world({ dataType: 'hash', when });
    const silver = world({ dataType: 'json', when: jm("tier == 'silver'") });
    for (const outputs of [
      [gold, silver],
      [silver, gold],
    ]) {
      const writes: TargetWrite[] = [];
      for (const { output: one } of outputs) one.write(image('u', SILVER), image('u', GOLD), 3, writes);
      expect(writes.map(bare)).toMatchObject([{ kind: 'delete' }, { kind: 'json' }]);
    }
  });
});

describe('foreach', () => {
  const foreach = { name: 'tag', expression: jm('tags') };
  const tags = world({ dataType: 'set', key: jm("'tags'"), member: column('tag'), foreach });
  const words = (writes: object[]) =>
    (writes as { member: string; isMember: boolean }[]).map(
      ({ member, isMember }) => `${isMember ? '+' : '-'}${member}`,
    );

  it('writes once per element', () => {
    expect(words(tags.write(image('c', GOLD)))).toEqual(['+a', '+b']);
  });

  it('takes away the elements that are gone', () => {
    expect(words(tags.write(image('u', { ...GOLD, tags: ['b', 'c'] }), image('u', GOLD)))).toEqual(['-a', '+b', '+c']);
    expect(words(tags.write(image('u', { ...GOLD, tags: null }), image('u', GOLD)))).toEqual(['-a', '-b']);
    expect(words(tags.write(image('d', GOLD)))).toEqual(['-a', '-b']);
  });

  it.each([[null], [[]], [undefined]])('writes nothing for %j', (value) => {
    expect(tags.write(image('c', { ...GOLD, tags: value }))).toEqual([]);
  });

  it('rejects what is no array', () => {
    expect(() => tags.write(image('c', { ...GOLD, tags: 'a,b' }))).toThrow(/foreach expression tags gives no array/);
  });

  it('gives each element a record of its own, in which it replaces a field of its name', () => {
    const record = image('c', { ...GOLD, tag: 'old', raw: new JsonText('{ "a": 1 }') });
    const { write } = world({ dataType: 'hash', key: jm("concat(['t:', tag])"), foreach });
    expect(write(record)).toMatchObject([
      { key: 't:a', row: { id: 7, tag: 'a', raw: { text: '{ "a": 1 }' } } },
      { key: 't:b', row: { id: 7, tag: 'b' } },
    ]);
    expect(record.columns.get('tag')).toBe('old');
  });

  it('adds the element to the record and to the row in full format', () => {
    const options = { dataType: 'set', key: jm("concat([key.id, ':', tag])"), member: column('tag') } as const;
    const { write } = world(
      { ...options, foreach: { name: 'tag', expression: jm('after.tags') } },
      { rowFormat: 'full' },
    );
    expect(write(fullImage('c', GOLD))).toMatchObject([
      { key: '7:a', member: 'a' },
      { key: '7:b', member: 'b' },
    ]);
  });

  it('asks when for each element', () => {
    const some = world({ dataType: 'set', key: jm("'s'"), member: column('tag'), foreach, when: jm("tag != 'a'") });
    expect(words(some.write(image('c', GOLD)))).toEqual(['+b']);
    expect(words(some.write(image('u', { ...GOLD, tags: ['a'] }), image('u', GOLD)))).toEqual(['-b']);
    expect(some.answer(image('c', { ...GOLD, tags: ['a'] }))).toBe(false);
    expect(some.answer(image('c', { ...GOLD, tags: [] }))).toBe(true);
    expect(some.output.place).toEqual(['tags']);
  });

  it('depends on the array, not on the element', () => {
    expect(tags.output.place).toEqual(['tags']);
  });

  it('appends one entry per element', () => {
    const stream = world({ dataType: 'stream', key: jm("'s'"), mapping: mapping('tag'), foreach });
    expect(stream.write(image('c', GOLD))).toMatchObject([{ row: { tag: 'a' } }, { row: { tag: 'b' } }]);
  });
});

describe('on_delete', () => {
  it('keep leaves what is there, except for rows that leave by a filter', () => {
    const { write, answer } = world({ onDelete: 'keep' });
    expect(write(image('d', GOLD))).toEqual([]);
    expect(answer(image('d', GOLD))).toBe(true);
    expect(write(image('d', GOLD, { isLeaving: true }))).toEqual([{ kind: 'delete', key: 'customer:id:7' }]);
  });

  it('fields removes what the mapping writes', () => {
    const items = mapping(['id', 'cid'], ['tier', 'level.name'], ['tags', 'level.tags']);
    expect(world({ dataType: 'json', onDelete: 'fields', mapping: items }).write(image('d', GOLD))).toEqual([
      {
        kind: 'remove_fields',
        type: 'json',
        key: 'customer:id:7',
        paths: [['cid'], ['level', 'name'], ['level', 'tags']],
      },
    ]);
  });

  it('fields removes all columns without a mapping, also those that the delete does not carry', () => {
    const { output } = world({ onDelete: 'fields' });
    const writes: TargetWrite[] = [];
    const created = image('c', GOLD);
    output.write(created, null, 0, writes);
    const deleted = image('d', { id: 7 }, { before: null });
    output.write({ ...deleted, event: { ...deleted.event, table: created.event.table } }, null, 1, writes);
    expect(bare(writes[1]!)).toMatchObject({ type: 'hash', paths: [['id'], ['tier'], ['tags']] });
  });

  it.each([
    ['set', { dataType: 'set', key: jm("'s'"), member: column('id') }, { kind: 'set', isMember: false }],
    ['string', { dataType: 'string', key: jm("'s'"), value: column('id') }, { kind: 'delete' }],
  ] as const)('fields removes the row of a %s as ever', (_, options, write) => {
    expect(world({ ...options, onDelete: 'fields' }).write(image('d', GOLD))).toMatchObject([write]);
  });
});
