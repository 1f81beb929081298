import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { formatBytes } from '../lib/plain-words.ts';
import type { Report } from './types.ts';

const fdatasync = promisify(fs.fdatasync);

/** File systems by the magic number of `statfs(2)` (linux/magic.h) that lose, or may lose, what they confirmed. */
const FILE_SYSTEMS: Readonly<Record<number, { readonly name: string; readonly keeps: 'nothing' | 'maybe' | 'layer' }>> =
  {
    16914836: { name: 'tmpfs', keeps: 'nothing' },
    2240043254: { name: 'ramfs', keeps: 'nothing' },
    26985: { name: 'NFS', keeps: 'maybe' },
    4283649346: { name: 'CIFS', keeps: 'maybe' },
    4266872130: { name: 'SMB', keeps: 'maybe' },
    1702057286: { name: 'FUSE', keeps: 'maybe' },
    16914839: { name: '9p', keeps: 'maybe' },
    2035054128: { name: 'overlay', keeps: 'layer' },
  };

const SYNC_BYTES = 4096;
const MOST_SYNCS = 60;
const SYNC_BUDGET_MS = 800;
const SLOW_P99_MS = 100;
const LEAST_FREE = 1 << 30;
/** Records of one batch of a feeder with the settings of `rdi scaffold`. */
const BATCH = 2048;

/** Looks at the data folder: `diskLimitBytes` as the instance has it, `isServed` when the running rdi has this folder. */
export async function examineDataFolder(
  { dataDir, diskLimitBytes, isServed }: { dataDir: string; diskLimitBytes: number; isServed: boolean },
  report: Report,
): Promise<void> {
  const folder = nearestFolder(dataDir);
  const isNew = folder !== dataDir;
  const scratch = path.join(folder, `.rdi-doctor-${process.pid}`);
  let times: number[];
  try {
    times = await measureSync(scratch);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const fix = 'Give the user of this process the right to write there, or name another folder with --data-dir.';
    report('error', 'data-folder', folder, `It cannot be written: ${code}.`, fix);
    return;
  }
  if (isNew) report('ok', 'data-folder', dataDir, `It is made at the first start; ${folder} can be written.`);
  else reportOwner(dataDir, isServed, report);
  reportSync(folder, times, report);
  reportDisk(folder, isNew ? 0 : bytesOf(dataDir), diskLimitBytes, report);
}

function nearestFolder(dir: string): string {
  let folder = dir;
  while (!fs.existsSync(folder) && path.dirname(folder) !== folder) folder = path.dirname(folder);
  return folder;
}

/** Durations of writes that were flushed to the disk, ms, sorted. */
async function measureSync(file: string): Promise<number[]> {
  const fd = fs.openSync(file, 'wx', 0o600);
  try {
    const bytes = Buffer.alloc(SYNC_BYTES, 1);
    const times: number[] = [];
    const deadline = performance.now() + SYNC_BUDGET_MS;
    while (times.length < MOST_SYNCS && (times.length < 3 || performance.now() < deadline)) {
      const startedAt = performance.now();
      fs.writeSync(fd, bytes);
      await fdatasync(fd);
      times.push(performance.now() - startedAt);
    }
    return times.sort((a, b) => a - b);
  } finally {
    fs.closeSync(fd);
    fs.rmSync(file, { force: true });
  }
}

function reportOwner(dataDir: string, isServed: boolean, report: Report): void {
  if (isServed) {
    report('ok', 'data-folder', dataDir, 'It can be written, and belongs to the running rdi.');
    return;
  }
  const owner = lockOwner(path.join(dataDir, 'state.db'));
  if (owner === null) report('ok', 'data-folder', dataDir, 'It can be written, and no process uses it.');
  else {
    const what = `The process ${owner} uses it, and is not the rdi that answers at the API.`;
    const fix = 'Ask that one (--api-url), stop it, or give the other a folder of its own (--data-dir).';
    report('warning', 'data-folder', dataDir, what, fix);
  }
}

/**
 * The process that holds a lock on a file; null when none does, or where the system does not tell. Linux' `/proc/locks`
 * (proc(5)): to try the lock would take it from an rdi that starts at this moment.
 */
function lockOwner(file: string): number | null {
  try {
    const { ino } = fs.statSync(file);
    for (const line of fs.readFileSync('/proc/locks', 'utf8').split('\n')) {
      const [, kind, , , pid, place] = line.trim().split(/\s+/);
      if (kind !== '->' && place?.split(':')[2] === String(ino)) return Number(pid);
    }
  } catch {
    // No such file, or no such system: then nobody holds what could be told.
  }
  return null;
}

function reportSync(folder: string, times: readonly number[], report: Report): void {
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  const [median, worst] = [at(0.5), at(0.99)];
  const perSecond = Math.round((BATCH * 1000) / Math.max(median, 0.05) / 1000) * 1000;
  const allows = `${perSecond.toLocaleString('en-US')} entries/s per feeder that sends ${BATCH} at a time`;
  const what = `A write is on disk after ${median.toFixed(2)} ms (p50), ${worst.toFixed(2)} ms (p99); the disk alone allows about ${allows}.`;
  const fix = 'Use a local SSD, or give the data folder a disk of its own: every batch of a feeder waits for it.';
  if (worst > SLOW_P99_MS) report('warning', 'data-sync', folder, what, fix);
  else report('ok', 'data-sync', folder, what);
}

function reportDisk(folder: string, used: number, limit: number, report: Report): void {
  const { bavail, bsize, type } = fs.statfsSync(folder);
  const kind = FILE_SYSTEMS[type];
  if (kind?.keeps === 'nothing') {
    const what = `It is on ${kind.name}, in memory: what was confirmed to feeders is lost with the machine.`;
    report('error', 'data-disk', folder, what, 'Put the data folder on a disk (--data-dir).');
  } else if (kind?.keeps === 'maybe') {
    const what = `It is on ${kind.name}: whether a flush reaches a disk depends on the server and its mount options.`;
    report(
      'warning',
      'data-disk',
      folder,
      what,
      'Use a local or a block device; two machines must never share the folder.',
    );
  } else if (kind?.keeps === 'layer') {
    const what = 'It is in the layer of a container: it goes with the container.';
    report('info', 'data-disk', folder, what, 'Mount a volume there if this is to be kept.');
  }
  const free = bavail * bsize;
  const needed = Math.max(0, limit - used);
  const room = `${formatBytes(free)} are free; the disk limit lets it grow by ${formatBytes(needed)}`;
  if (free < Math.min(LEAST_FREE, needed)) {
    report('error', 'data-disk', folder, `${room}.`, 'Free some space: a full disk holds back feeders.');
  } else if (free < needed) {
    const fix = 'Free some space or lower --disk-limit, so that feeders are slowed down before the disk is full.';
    report('warning', 'data-disk', folder, `${room}.`, fix);
  } else report('ok', 'data-disk', folder, `${room}.`);
}

function bytesOf(folder: string): number {
  let bytes = 0;
  for (const entry of fs.readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    try {
      bytes += fs.statSync(path.join(entry.parentPath, entry.name)).size;
    } catch {
      // Trimmed in this moment.
    }
  }
  return bytes;
}
