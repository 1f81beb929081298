import type { EmbeddedStore } from '../streams/index.ts';

/** Databases that a feeder can select. */
const DATABASES = 16;

/** The hashes that feeders keep here, by key; one of another database than 0 as `key@db`. Values that are JSON are parsed. */
export function readOffsets(store: Pick<EmbeddedStore, 'metadata'>): Record<string, Record<string, unknown>> {
  const offsets: Record<string, Record<string, unknown>> = {};
  for (let db = 0; db < DATABASES; db++) {
    for (const { key, type } of store.metadata.keys(db)) {
      if (type !== 'hash') continue;
      const fields = store.metadata.fields(db, key).map(([name, value]) => [shown(name), parsed(value)] as const);
      offsets[db === 0 ? shown(key) : `${shown(key)}@${db}`] = Object.fromEntries(fields);
    }
  }
  return offsets;
}

/** Names are kept byte for byte in Latin-1. */
function shown(name: string): string {
  return Buffer.from(name, 'latin1').toString('utf8');
}

function parsed(value: Buffer): unknown {
  const text = value.toString('utf8');
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
