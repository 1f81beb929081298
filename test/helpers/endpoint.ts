import type { ConnectionOptions } from 'node:tls';
import { systemClock } from '../../src/lib/clock.ts';
import { Endpoint, type EndpointOptions } from '../../src/sink/index.ts';
import { EmbeddedStore, type EmbeddedStoreOptions } from '../../src/streams/index.ts';
import type { StreamEntry } from '../../src/types.ts';
import { RawClient } from './raw-client.ts';
import { pretendReserve, tempFolder } from './temp-folder.ts';

export interface EndpointWorld {
  readonly store: EmbeddedStore;
  readonly endpoint: Endpoint;
  readonly port: number;
  readonly notices: string[];
  client(tls?: ConnectionOptions): Promise<RawClient>;
  /** Closes clients, endpoint and store; the folder stays for the next start. */
  close(): Promise<void>;
}

export interface EndpointWorldOptions {
  readonly folder?: string;
  readonly endpoint?: Partial<EndpointOptions>;
  readonly store?: Partial<EmbeddedStoreOptions>;
}

/** An endpoint on a free port of 127.0.0.1 in front of a real store. */
export async function startEndpoint(options: EndpointWorldOptions = {}): Promise<EndpointWorld> {
  const folder = options.folder ?? tempFolder({ inMemory: true });
  pretendReserve(folder);
  const notices: string[] = [];
  const onNotice = ({ message }: { message: string }) => void notices.push(message);
  const store = await EmbeddedStore.open({
    folder,
    clock: systemClock,
    diskLimitBytes: 2 ** 30,
    tailBytes: 8 << 20,
    onNotice,
    ...options.store,
  });
  const endpoint = new Endpoint({
    host: '127.0.0.1',
    port: 0,
    users: [],
    maxConnections: 100,
    maxFrameBytes: 64 << 20,
    maxArguments: 100_000,
    authTimeoutMs: 5000,
    testMode: false,
    version: '0.0.0',
    clock: systemClock,
    store,
    onNotice,
    ...options.endpoint,
  });
  await endpoint.listen();
  const clients: RawClient[] = [];
  return {
    store,
    endpoint,
    port: endpoint.port,
    notices,
    client: async (tls) => {
      const client = await RawClient.connect(endpoint.port, tls);
      clients.push(client);
      return client;
    },
    close: async () => {
      for (const client of clients) client.close();
      await endpoint.close();
      await store.close();
    },
  };
}

/** All unsettled entries of a store, as their fields' texts. */
export async function storedTexts(store: EmbeddedStore): Promise<{ stream: string; id: string; fields: string }[]> {
  const found: StreamEntry[] = [];
  const reader = store.reader(store.checkpoint.position, () => true, false);
  const limits = { entries: 10_000, bytes: 64 << 20 };
  for (let batch = await reader.next(limits); batch; batch = await reader.next(limits)) found.push(...batch.entries);
  return found.map(({ stream, ms, seq, bytes, start, end }) => ({
    stream: stream.name,
    id: `${ms}-${seq}`,
    fields: bytes.toString('utf8', start, end),
  }));
}
