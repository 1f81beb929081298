import fs from 'node:fs';
import os from 'node:os';
import { VERSION } from '../lib/version.ts';

/** Versions of everything that runs here. */
export function versions(): Readonly<Record<string, string>> {
  const { node, v8, uv, openssl, sqlite } = process.versions;
  return {
    rdi: VERSION,
    node,
    v8: v8 ?? '',
    uv: uv ?? '',
    openssl: openssl ?? '',
    sqlite: sqlite ?? '',
    platform: process.platform,
    arch: process.arch,
  };
}

/** Facts about the machine: kernel, memory, disk of the data folder, limits. Of variables only the names. */
export function machine(dataDir: string, env: Readonly<Record<string, string | undefined>>) {
  return {
    system: { type: os.type(), release: os.release(), version: os.version(), arch: os.arch() },
    distribution:
      read('/etc/os-release')
        ?.split('\n')
        .find((line) => line.startsWith('PRETTY_NAME=')) ?? null,
    cpus: os.availableParallelism(),
    load: os.loadavg(),
    uptimeSec: Math.round(os.uptime()),
    memory: { totalBytes: os.totalmem(), freeBytes: os.freemem() },
    // What a container may take; cgroup v2 and v1.
    memoryLimit: read('/sys/fs/cgroup/memory.max') ?? read('/sys/fs/cgroup/memory/memory.limit_in_bytes'),
    cpuLimit: read('/sys/fs/cgroup/cpu.max'),
    disk: disk(dataDir),
    limits: read('/proc/self/limits')?.split('\n') ?? null,
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    variables: Object.keys(env).sort(),
  };
}

function disk(folder: string) {
  try {
    const { type, bsize, blocks, bavail, files, ffree } = fs.statfsSync(folder);
    return {
      folder,
      type: `0x${type.toString(16)}`,
      totalBytes: blocks * bsize,
      freeBytes: bavail * bsize,
      files,
      ffree,
    };
  } catch (error) {
    return { folder, error: (error as NodeJS.ErrnoException).code ?? 'unknown' };
  }
}

function read(file: string): string | null {
  try {
    return fs.readFileSync(file, 'utf8').trim();
  } catch {
    return null;
  }
}
