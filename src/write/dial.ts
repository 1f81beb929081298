import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { SentinelConnector } from 'ioredis';
import { loadIoredis } from './ioredis.ts';
import type { Endpoint } from './options.ts';

/** Finds the server to talk to and opens sockets to it. */
export interface Dialer {
  /** A socket that is connected, and through its TLS handshake. Throws when that fails or takes longer than asked. */
  dial(timeoutMs: number): Promise<Socket>;
  /** Whether a server with this role (`master`, `slave`, empty for unknown) is the right one; wrong ones are passed over. */
  accepts(role: string): boolean;
  /** Gives up the socket that is open or being opened. */
  close(): void;
}

export function dialerFor(endpoint: Endpoint, timeoutMs: number): Dialer {
  return endpoint.sentinel ? sentinelDialer(endpoint, timeoutMs) : directDialer(endpoint);
}

function directDialer(endpoint: Endpoint): Dialer {
  const { host, port, socketPath, tls } = endpoint;
  const address = socketPath === undefined ? { host, port } : { path: socketPath };
  let socket: Socket | undefined;
  return {
    dial: (timeoutMs) => {
      socket = tls ? connectTls({ ...address, ...tls }) : connectPlain(address);
      return established(socket, timeoutMs);
    },
    // A replica that takes writes is the user's decision; one that does not answers READONLY.
    accepts: () => true,
    close: () => socket?.destroy(),
  };
}

/** The Sentinels are asked by ioredis, anew for each connection, so a failover is followed. */
function sentinelDialer(endpoint: Endpoint, timeoutMs: number): Dialer {
  let connector: SentinelConnector | undefined;
  let socket: Socket | undefined;
  return {
    dial: async (limit) => {
      connector ??= await sentinelConnector(endpoint, timeoutMs);
      socket = (await connector.connect(() => {})) as Socket;
      return established(socket, limit);
    },
    accepts: (role) => connector!.check(role === '' ? {} : { role }),
    close: () => {
      connector?.disconnect();
      socket?.destroy();
    },
  };
}

async function sentinelConnector(endpoint: Endpoint, timeoutMs: number): Promise<SentinelConnector> {
  const { name, nodes, user, password } = endpoint.sentinel!;
  const { tls } = endpoint;
  const { SentinelConnector } = await loadIoredis();
  return new SentinelConnector({
    name,
    sentinels: nodes.map((node) => ({ ...node })),
    role: 'master',
    ...(user === undefined ? {} : { sentinelUsername: user }),
    ...(password === undefined ? {} : { sentinelPassword: password }),
    ...(tls ? { tls, sentinelTLS: tls, enableTLSForSentinelMode: true } : {}),
    sentinelRetryStrategy: () => null,
    connectTimeout: timeoutMs,
    sentinelCommandTimeout: timeoutMs,
    protocol: 2,
  });
}

function established(socket: Socket, timeoutMs: number): Promise<Socket> {
  const ready = 'encrypted' in socket ? 'secureConnect' : 'connect';
  // Between two owners an error must find a listener, or it would end the process.
  socket.on('error', () => {});
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => fail(new Error(`no connection within ${timeoutMs} ms`)), timeoutMs);
    const closed = () => fail(new Error('the target closed the connection'));
    socket.once('error', fail);
    socket.once('close', closed);
    socket.once(ready, () => {
      clearTimeout(timer);
      socket.removeListener('error', fail);
      socket.removeListener('close', closed);
      socket.setNoDelay(true);
      socket.setKeepAlive(true, 30_000);
      resolve(socket);
    });
  });
}
