import { setFlagsFromString } from 'node:v8';

/**
 * Has the engine of JavaScript make every object young, whatever it learned of its kind. For a process in which nearly
 * everything dies within a batch; to be called before that work begins.
 *
 * V8 makes objects old at once when many of the same place in the code outlived a collection early on, which a first burst may
 * bring about. Old ones that are garbage keep what they refer to alive until the next full collection: rows and their texts,
 * here. In about every second run that cost 3 to 5 µs per event and 80 MB (`npm run bench`).
 */
export function expectShortLives(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}
