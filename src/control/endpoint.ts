import type { Instance } from '../config/index.ts';
import { systemClock } from '../lib/clock.ts';
import { VERSION } from '../lib/version.ts';
import type { Logger } from '../observe/logger.ts';
import { Endpoint } from '../sink/index.ts';
import type { EmbeddedStore } from '../streams/index.ts';

/**
 * The endpoint as the instance wants it, not open yet. `port`: the one that was had before a reset, or the instance's;
 * `hostsBeforeReset`: see {@link Endpoint}.
 */
export function createEndpoint(
  instance: Instance,
  port: number,
  store: EmbeddedStore,
  logger: Logger,
  hostsBeforeReset: readonly string[],
): Endpoint {
  const { users, tls, limits, testMode } = instance.endpoint;
  return new Endpoint({
    host: instance.listen.host,
    port,
    users,
    ...(tls ? { tls } : {}),
    maxConnections: limits.maxConnections,
    maxFrameBytes: limits.maxFrameBytes,
    maxArguments: limits.maxArguments,
    authTimeoutMs: limits.unauthenticatedTimeoutMs,
    testMode,
    version: VERSION,
    clock: systemClock,
    store,
    hostsBeforeReset,
    onNotice: ({ level, message }) => logger[level](message),
  });
}
