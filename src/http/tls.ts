import { readFile, stat } from 'node:fs/promises';
import type { Server } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { HttpTls } from '../config/index.ts';

const LOOK_EVERY_MS = 5000;

/**
 * Takes up a renewed certificate without a restart: looks at the files every five seconds. Open connections keep the old one. Files
 * that do not fit together (a renewal half done, a mistake) are told to `onError` once, and the old certificate stays.
 *
 * Returns how to stop.
 */
export function followCertificate(
  server: Pick<Server, 'setSecureContext'>,
  tls: HttpTls,
  onError: (error: Error) => void,
  everyMs = LOOK_EVERY_MS,
): () => void {
  const files = [tls.certFile, tls.keyFile].filter((file) => file !== undefined);
  if (files.length === 0) return () => {};
  let known: string | undefined;
  let isLooking = false;
  const look = async (): Promise<void> => {
    const seen = (await Promise.all(files.map(stampOf))).join(' ');
    const isFirst = known === undefined;
    if (seen === known) return;
    known = seen;
    if (isFirst) return;
    const context = {
      cert: await textOf(tls.certFile, tls.cert),
      key: await textOf(tls.keyFile, tls.key),
      ...(tls.keyPassword === undefined ? {} : { passphrase: tls.keyPassword }),
    };
    // Throws when they do not belong together.
    createSecureContext(context);
    server.setSecureContext(context);
  };
  const guarded = async (): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    await look().catch((cause: unknown) =>
      onError(
        new Error(
          `The renewed certificate of the HTTP server cannot be used, the old one stays (${files.join(', ')})`,
          { cause },
        ),
      ),
    );
    isLooking = false;
  };
  void guarded();
  const timer = setInterval(() => void guarded(), everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

async function stampOf(file: string): Promise<string> {
  const { mtimeMs, size, ino } = await stat(file);
  return `${mtimeMs}/${size}/${ino}`;
}

async function textOf(file: string | undefined, otherwise: string): Promise<string> {
  return file === undefined ? otherwise : readFile(file, 'utf8');
}
