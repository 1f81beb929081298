import type { Clock } from '../lib/clock.ts';
import type { Disk } from './disk.ts';
import type { Retention } from './retention.ts';

export interface EmbeddedStoreOptions {
  folder: string;
  clock: Clock;
  diskLimitBytes: number;
  /** Default: settled entries go as soon as their segment is full. */
  retention?: Retention;
  /** Bytes of the newest entries kept in memory. */
  tailBytes: number;
  /** Default: a 32nd of the disk limit, between 1 and 64 MiB. */
  segmentBytes?: number;
  /** Default: 1 MiB. */
  blockBytes?: number;
  disk?: Disk;
  /** A torn tail was cut, a disk failed, a gap was met: for the log. */
  onNotice: (notice: { level: 'info' | 'warn' | 'error'; message: string }) => void;
}

/** Called when `durable` moved, or when the disk failed and everything from `position` on was taken back. */
export interface DurabilityListener {
  onDurable(): void;
  onTakenBack(position: number): void;
}
