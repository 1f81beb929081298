/**
 * # sink: the Redis-protocol endpoint that feeders connect to
 *
 * **In**: connections of Debezium Servers (sink, offset store, schema history; versions 1.9, 2.x, 3.x), of `redis-cli`,
 * of Redis Insight. **Out**: entries to the {@link StreamStore}, metadata to its {@link MetadataStore}, replies.
 *
 * **Promises** (spec/debezium-sink-protocol.md §1)
 * - A data `XADD` is answered with an id after the entry is durable, or with the exact OOM text, or not at all
 *   (the connection closes). Never with another error, whatever it holds: every other error makes Debezium drop the record
 *   without a word. What cannot be understood is stored and judged by the engine.
 * - OOM is sticky: after the first one on a connection nothing is stored until a command that is not `XADD`, so what
 *   was accepted of a pipeline is a prefix of it.
 * - An offset `HSET` is answered when it and everything acknowledged before it are durable.
 * - Replies come in the order of the commands. `INFO` and `PING` wait for nobody but earlier commands of their own connection.
 * - A connection is never closed for being idle, and never to hold a feeder back. Full stores show first in
 *   `INFO memory`, then in paced replies, then in OOM.
 * - A bad frame closes its own connection and no other.
 * - The port is not open before the store is recovered.
 *
 * **Does not**: keep general Redis data. Streams and the feeder's `metadata:*` keys are all there is; other commands get Redis'
 * own error wording.
 *
 * ## Life of a reply
 *
 * Commands are parsed and executed as they arrive; each leaves a *pending reply* that names what must be durable
 * before it may leave (`replies.ts`): a journal position, a change of the state store, or nothing. The queue is flushed
 * from the front whenever the store reports progress. When the disk fails and takes appends back, their waiting replies
 * turn into OOM.
 */
export { Endpoint, type EndpointOptions, type EndpointState } from './endpoint.ts';
export { RequestParser } from './request-parser.ts';
export type { ConnectionInfo, EndpointUser } from './types.ts';
