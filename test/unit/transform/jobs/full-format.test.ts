import { describe, expect, it } from 'vitest';
import type { JobDefinition } from '../../../../src/transform/jobs/definition.ts';
import { add, expression, filter, jobOf, map, output, remove, run, show, TABLE } from './job-world.ts';

const full = (blocks: Parameters<typeof jobOf>[0], more: Partial<JobDefinition> = {}) =>
  jobOf(blocks, { rowFormat: 'full', ...more });

const ROW = { id: 7, status: 'paid' };

async function writesOf(job: JobDefinition, ...events: Parameters<typeof run>[1]): Promise<string[]> {
  const { writes, rejected } = await run(job, events);
  for (const { reason } of rejected.values()) throw new Error(reason);
  return writes.map(show);
}

describe('a full record', () => {
  it('has all fields in their order', async () => {
    const { records } = await run(full([add({ x: 'jm: `1`' })]), [{ before: { id: 7, status: 'new' }, after: ROW }]);
    expect(records.get(0)).toBe(
      '{"key":{"id":7},"before":{"id":7,"status":"new"},"after":{"id":7,"status":"paid"},"opcode":"u","db":"shop",' +
        '"schema":"public","table":"customer","server_name":"rdi","source":"rdi","source_type":"postgresql",' +
        '"timestamp":1700000000000,"removed_fields":null,"x":1}',
    );
  });

  it('is null where the event has nothing', async () => {
    const table = { ...TABLE, schema: '' };
    const { records } = await run(full([add({ x: 'jm: [before, schema, key]' })]), [{ after: ROW, key: null, table }]);
    expect(records.get(0)).toContain('"x":[null,null,null]');
  });

  it('is not what a job in partial format sees: its names are columns or null', async () => {
    const { records } = await run(jobOf([add({ x: 'jm: [opcode, table, key]' })]), [{ after: ROW }]);
    expect(records.get(0)).toContain('"x":[null,null,null]');
  });

  it('is written as its final `after`; other fields are scratch', async () => {
    const job = full([add({ tmp: 'jm: upper(after.status)', 'after.st': 'jm: tmp' }), remove('after.status')]);
    expect(await writesOf(job, { after: ROW })).toEqual(['json customer:id:7 id=7 st=PAID']);
  });

  it('never changes `before` when `after` is the same row, nor a copy that was taken', async () => {
    const job = full([
      add({ 'after.was': 'jm: after', 'after.status': "jm: 'x'", tmp: 'jm: after', 'after.id': 'jm: `8`' }),
    ]);
    const { records } = await run(job, [{ after: ROW }]);
    expect(records.get(0)).toContain('"after":{"id":8,"status":"x","was":{"id":7,"status":"paid"}}');
    expect(records.get(0)).toContain('"tmp":{"id":7,"status":"x","was":{"id":7,"status":"paid"}}');
  });
});

describe('the operation', () => {
  const soft = full([
    add({ 'after.state': "jm: opcode == 'd' && 'gone' || 'live'", opcode: "jm: opcode == 'd' && 'u' || opcode" }),
  ]);

  it('follows the opcode, and `after` is made where a block sets into it', async () => {
    expect(await writesOf(soft, { after: ROW }, { before: ROW })).toEqual([
      'json customer:id:7 id=7 status=paid state=live',
      'json customer:id:7 state=gone',
    ]);
  });

  it('removes the row when an update becomes a delete', async () => {
    const job = full([add({ opcode: "jm: after.status == 'void' && 'd' || opcode" })]);
    expect(await writesOf(job, { before: ROW, after: { id: 7, status: 'void' } })).toEqual(['delete customer:id:7']);
  });

  it('leaves nothing to write when a delete becomes an update without a row', async () => {
    const { filtered, writes } = await run(full([add({ opcode: "jm: 'u'" })]), [{ before: ROW }]);
    expect({ filtered, writes }).toEqual({ filtered: [0], writes: [] });
  });

  it.each(["jm: 'x'", 'jm: `1`', "jm: 't'"])('rejects an opcode that is none: %s', async (text) => {
    const { rejected } = await run(full([add({ opcode: text })]), [{ after: ROW }]);
    expect(rejected.get(0)!.reason).toMatch(/opcode .* one of c, u, d and r/);
  });

  it('rejects an `after` that is no row any more', async () => {
    const { rejected } = await run(full([add({ after: "jm: 'text'" })]), [{ after: ROW }]);
    expect(rejected.get(0)!.reason).toContain('"after"');
  });
});

describe('map in the full format', () => {
  it('leaves a full record where the result has an `after`, with the opcode it had', async () => {
    const job = full([map({ after: { id: 'jm: after.id' }, x: 'jm: opcode' }), add({ 'after.x': 'jm: x' })]);
    expect(await writesOf(job, { after: ROW })).toEqual(['json customer:id:7 id=7 x=c']);
  });

  it('makes the result the row where it has none, and keeps the operation', async () => {
    const job = full([map({ id: 'jm: key.id', st: 'jm: after.status' }), add({ more: 'jm: st' })]);
    expect(await writesOf(job, { after: ROW }, { before: ROW })).toEqual([
      'json customer:id:7 id=7 st=paid more=paid',
      'delete customer:id:7',
    ]);
  });

  it('keeps an operation that was rewritten before', async () => {
    const job = full([add({ opcode: "jm: 'd'" }), map({ id: 'jm: key.id' })]);
    expect(await writesOf(job, { after: ROW })).toEqual(['delete customer:id:7']);
  });

  it('keeps a delete a full record when it names before and after', async () => {
    const job = full([map({ key: 'jm: key', before: 'jm: before', after: 'jm: after' })], {
      outputs: [output({ key: expression("jm: concat(['o:', before.id || after.id])") })],
    });
    expect(await writesOf(job, { before: ROW })).toEqual(['delete o:7']);
  });
});

describe('outputs in the full format', () => {
  const key = expression("jm: concat(['o:', after.id || before.id])");

  it('take plain columns from `after`, on a delete from `before`', async () => {
    const member = { column: ['status'] };
    const job = full([], { outputs: [output({ dataType: 'set', key: expression("jm: 's'"), member })] });
    expect(await writesOf(job, { after: ROW }, { before: ROW })).toEqual(['add s paid', 'remove s paid']);
  });

  it('take what is known of a row that is deleted without `before`', async () => {
    const member = { column: ['id'] };
    const job = full([], { outputs: [output({ dataType: 'set', key: expression("jm: 's'"), member })] });
    expect(await writesOf(job, { op: 'd', key: { id: 7 } })).toEqual(['remove s 7']);
  });

  it('remove what an update left under another key', async () => {
    const byStatus = full([filter("jm: opcode != 'd'")], {
      outputs: [output({ key: expression("jm: concat([after.status, ':', after.id])") })],
    });
    expect(await writesOf(byStatus, { before: { id: 7, status: 'new' }, after: ROW })).toEqual([
      'delete new:7',
      'json paid:7 id=7 status=paid',
    ]);
    expect(
      await writesOf(full([], { outputs: [output({ key })] }), { before: { id: 7, status: 'new' }, after: ROW }),
    ).toEqual(['json o:7 id=7 status=paid']);
  });

  it('remove nothing where the row before was not in the target because of its opcode', async () => {
    const job = full([add({ opcode: "jm: after.status == 'void' && 'd' || opcode" })], {
      outputs: [output({ key: expression("jm: concat([after.status, ':', after.id])") })],
    });
    expect(await writesOf(job, { before: { id: 7, status: 'void' }, after: ROW })).toEqual([
      'json paid:7 id=7 status=paid',
    ]);
  });

  it('each see the record as the blocks left it', async () => {
    const job = full([], {
      outputs: [
        output({ key: expression("jm: concat(['a:', values(key)[0]])") }),
        output({ key: expression("jm: concat(['b:', keys(key)[0], ':', key.id])") }),
      ],
    });
    expect(await writesOf(job, { after: ROW })).toEqual(['json a:7 id=7 status=paid', 'json b:id:7 id=7 status=paid']);
  });
});
