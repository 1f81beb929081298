import { describe, expect, it } from 'vitest';
import { World } from './entries.ts';

describe('flattened rows that look like control records are never skipped', () => {
  it.each([
    ['a table that logs DDL', '{"id":1,"databaseName":"shop","ddl":"CREATE TABLE a"}'],
    ['a table with table changes', '{"id":1,"databaseName":"shop","tableChanges":3,"source":"nightly"}'],
    ['a table of job runs', '{"id":1,"status":"END","event_count":5}'],
  ])('%s', (_what, value) => {
    expect(new World().decode('{"id":1}', value)).toMatchObject({ kind: 'change', op: 'u' });
  });

  it.each([
    ['a document with op t and a nested source', '{"id":1,"op":"t","source":{"name":"a"}}'],
    ['a document with op m, a text and a nested source', '{"id":1,"op":"m","message":"hello","source":{"name":"a"}}'],
  ])('%s is kept in the DLQ at least', (_what, value) => {
    expect(new World().decode('{"id":1}', value)).toMatchObject({ kind: 'undecodable' });
  });
});
