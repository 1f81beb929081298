/**
 * What a checksum per record costs: the journal's XXH32 in JavaScript against Node's native CRC-32, on records of 1.1 KB.
 * Prints JSON. `node benchmarks/micro/checksum.ts`
 */
import { crc32 } from 'node:zlib';
import { xxh32 } from '../../src/lib/xxh32.ts';

const RECORD_BYTES = 1152;
const RECORDS = 512;
const ROUNDS = 1000;

const memory = new ArrayBuffer(RECORD_BYTES * RECORDS);
const bytes = Buffer.from(memory).fill('{"id":7,"name":"Ada","note":"ring twice"}');
const words = new Int32Array(memory);

function nanosecondsPerRecord(sum: (record: number) => number): number {
  let result = 0;
  for (let record = 0; record < RECORDS; record++) result ^= sum(record);
  const startedAt = process.hrtime.bigint();
  for (let round = 0; round < ROUNDS; round++) {
    for (let record = 0; record < RECORDS; record++) result ^= sum(record);
  }
  const took = Number(process.hrtime.bigint() - startedAt) / (ROUNDS * RECORDS);
  // Used, so that the loop cannot be left out.
  return result === 0.5 ? Number.NaN : took;
}

const xxh = nanosecondsPerRecord((record) =>
  xxh32(words, (record * RECORD_BYTES) / 4, ((record + 1) * RECORD_BYTES) / 4),
);
const crc = nanosecondsPerRecord((record) => crc32(bytes.subarray(record * RECORD_BYTES, (record + 1) * RECORD_BYTES)));
console.log(
  JSON.stringify({
    recordBytes: RECORD_BYTES,
    nanoseconds: { xxh32: Math.round(xxh), crc32: Math.round(crc) },
    ratio: Number((xxh / crc).toFixed(2)),
  }),
);
