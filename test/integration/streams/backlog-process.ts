/** Appends many entries to a store with little memory, reads them back, and reports its memory: started by a test. */
import { systemClock } from '../../../src/lib/clock.ts';
import { EmbeddedStore } from '../../../src/streams/index.ts';
import { bulkStrings } from '../../helpers/bulk-strings.ts';

const [folder = '', megabytes = '0'] = process.argv.slice(2);
const rss = () => process.memoryUsage().rss >> 20;

const store = await EmbeddedStore.open({
  folder,
  clock: systemClock,
  diskLimitBytes: 2 ** 32,
  tailBytes: 8 << 20,
  onNotice: () => {},
});
const stream = store.stream(0, 'data:orders');
const bytes = bulkStrings('value', 'x'.repeat(1100));
const counts: number[] = [];
const appendMegabytes = async (count: number) => {
  for (let i = 0; i < count; i++) {
    for (let n = 0; n < 900; n++) store.append(stream, 0, false, bytes, 0, bytes.length, 2);
    await store.flush();
  }
};
await appendMegabytes(30);
counts.push(rss());
await appendMegabytes(Number(megabytes));
counts.push(rss());
let read = 0;
const reader = store.reader(0, () => true, true);
const limits = { entries: 2000, bytes: 8 << 20 };
for (let batch = await reader.next(limits); batch; batch = await reader.next(limits)) {
  read += batch.entries.length;
  if (read === 100_000) counts.push(rss());
}
counts.push(rss());
console.log(JSON.stringify({ rss: counts, appended: stream.appended, read, bytes: store.bytes }));
await store.close();
