import type { EmbeddedStore } from '../streams/index.ts';
import type { DlqControl } from './operations.ts';
import type { DlqRecord } from './types.ts';

const absent = (): never => {
  throw new Error('not wired yet');
};

export function interimDlq(store: () => EmbeddedStore): DlqControl {
  return {
    records: (stream, page) =>
      store()
        .deadLetters.records(stream, page)
        .map(({ id, fields }) => ({
          __dlq_stream_entry_id: id,
          ...(fields as Omit<DlqRecord, '__dlq_stream_entry_id'>),
        })),
    record: absent,
    count: absent,
    entry: absent,
    edit: absent,
    retry: absent,
    drop: async () => 0,
    export: absent,
  };
}
