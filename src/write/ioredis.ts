/**
 * Loads ioredis, which only Sentinel and Cluster targets need, when it is first needed.
 *
 * ioredis 6 declares a class that extends String and makes no object of it. After that, V8 (Node 26) runs loops over
 * `charCodeAt` anywhere in the process four to five times slower, and the encoder of pipelines three times slower.
 */
export function loadIoredis() {
  return import('ioredis');
}
