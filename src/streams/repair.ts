import fs from 'node:fs';
import path from 'node:path';
import { StoreError } from '../errors.ts';
import type { Clock } from '../lib/clock.ts';
import { CheckpointStore } from './checkpoint-store.ts';
import { type Disk, localDisk } from './disk.ts';
import { createGap, createHeader, HEADER_BYTES } from './record-format.ts';
import { type DamagedPiece, type DamagedStretch, type Survey, surveyJournal } from './repair-survey.ts';
import { readBlock, type Segment, segmentName } from './segments.ts';
import { StateStore } from './state-store.ts';

export type { DamagedStretch } from './repair-survey.ts';

const COPY_BYTES = 4 << 20;

export interface RepairReport {
  /** In order of position; empty when nothing is damaged. */
  readonly damaged: readonly DamagedStretch[];
  /** Bytes at the end that were never acknowledged; a start cuts them without a repair. */
  readonly tornBytes: number;
  /** False when the journal was only looked at. */
  readonly isRepaired: boolean;
}

export interface RepairOptions {
  /** The data folder. */
  readonly folder: string;
  /** Without it nothing is changed. */
  readonly apply: boolean;
  readonly clock: Clock;
  /** For tests. */
  readonly disk?: Disk;
}

/**
 * Finds every stretch of the journal that cannot be read and was acknowledged. With `apply` keeps a copy of each in
 * `<folder>/damaged`, writes gaps over them, and ends the journal with a new segment that holds all streams, so that a
 * start works again and delivers everything else. Positions do not move. Safe to interrupt and repeat.
 *
 * Throws `STORE_LOCKED` while rdi runs on the folder, `STORE_DAMAGED` when the state store itself is damaged.
 */
export async function repairJournal({ folder, apply, clock, disk }: RepairOptions): Promise<RepairReport> {
  if (!fs.existsSync(path.join(folder, 'state.db'))) {
    throw new StoreError('STORE_FAILED', `There is no data folder of rdi at ${folder}`, {
      fix: 'Name it with --data-dir; rdi status and the log of rdi run show where it is',
    });
  }
  const state = new StateStore(folder);
  try {
    const checkpoints = new CheckpointStore(state);
    const settled = checkpoints.lowestPosition();
    const known = {
      settled,
      durable: Math.max(settled, checkpoints.durable()),
      streams: checkpoints.settledStreams(),
      boundaries: checkpoints.boundaries(),
      position: checkpoints.position(),
    };
    const journal = disk ?? localDisk(path.join(folder, 'journal'));
    const survey = await surveyJournal(journal, known, path.join(folder, 'damaged'));
    try {
      if (apply && survey.damaged.length > 0) await mend(journal, survey, clock.now());
    } finally {
      for (const { file } of survey.segments) file.close();
    }
    const { damaged, tornBytes } = survey;
    return { damaged, tornBytes, isRepaired: apply && damaged.length > 0 };
  } finally {
    state.close();
  }
}

async function mend(disk: Disk, survey: Survey, now: number): Promise<void> {
  for (const stretch of survey.damaged) await keepCopy(survey, stretch);
  for (const piece of survey.pieces) {
    const segment = survey.segments.find(({ base }) => base === piece.segment) ?? createSegment(disk, survey, piece);
    const gaps = gapsOver(piece);
    await segment.file.write([gaps], piece.position - segment.base);
    const end = piece.until - segment.base;
    // The space behind a gap may be a hole: only its size has to be there.
    if (survey.sizeOf(segment) < end) survey.resize(segment, end);
    await segment.file.datasync();
  }
  await endJournal(disk, survey, now);
  await disk.syncDirectory();
}

async function keepCopy({ segments }: Survey, { copy, file, offset, bytes }: DamagedStretch): Promise<void> {
  const segment = segments.find(({ name }) => path.basename(file) === name);
  if (!segment || bytes === 0) return;
  fs.mkdirSync(path.dirname(copy), { recursive: true, mode: 0o700 });
  const target = fs.openSync(copy, 'w', 0o600);
  try {
    for (let done = 0; done < bytes; ) {
      const block = await readBlock(segment, segment.base + offset + done, Math.min(COPY_BYTES, bytes - done));
      if (block.used === 0) break;
      fs.writeSync(target, block.buffer, 0, block.used);
      done += block.used;
    }
    fs.fsyncSync(target);
  } finally {
    fs.closeSync(target);
  }
}

function createSegment(disk: Disk, survey: Survey, { segment: base }: DamagedPiece): Segment {
  const name = segmentName(base);
  const segment = { base, name, file: disk.open(name, 'create') };
  survey.segments.push(segment);
  return segment;
}

/** One gap for each stream that lost entries, one behind the other; the last one leads over the rest of the piece. */
function gapsOver({ position, until, lost }: DamagedPiece): Buffer {
  const room = Math.floor((until - position) / HEADER_BYTES);
  const counts = lost.size > 0 ? [...lost].slice(0, room) : [[0, 0] as const];
  const gaps = counts.map(([stream, count], i) => {
    const at = position + i * HEADER_BYTES;
    return createGap(at, i === counts.length - 1 ? until : at + HEADER_BYTES, stream, count);
  });
  return Buffer.concat(gaps);
}

/** A start knows the streams from the header of the last segment, so there must be a whole one. */
async function endJournal(disk: Disk, { end, segments, streams }: Survey, now: number): Promise<void> {
  const old = segments.findIndex(({ base }) => base === end);
  if (old >= 0) segments.splice(old, 1)[0]?.file.close();
  const file = disk.open(segmentName(end), 'create');
  try {
    const header = createHeader(
      end,
      [...streams.values()].map(({ number, db, rawName, lastMs, lastSeq, total, hasLost }) => ({
        number,
        db,
        name: rawName,
        // Ids must grow beyond those of lost entries, too.
        lastMs: hasLost ? Math.max(lastMs, now) : lastMs,
        lastSeq,
        appended: total ?? 0,
      })),
    );
    await file.write([header], 0);
    await file.datasync();
  } finally {
    file.close();
  }
}
