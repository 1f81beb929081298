import type { RecordedCommand, Recording, SubBatch } from './types.ts';

const HANDSHAKE = new Set(['CLIENT', 'AUTH', 'SELECT', 'HELLO', 'PING']);
const PROBES = new Set(['INFO', 'PING']);
/** Recordings of feeders that probe never come near; only a recording without probes (1.9.0) is cut here. */
const MAX_PIPELINE_BYTES = 64 * 1024 * 1024;

/** Cuts commands into the handshake at their start and the sub-batches that follow. Holds one sub-batch at a time. */
export async function cutRecording(commands: AsyncIterator<RecordedCommand>): Promise<Recording> {
  const handshake: RecordedCommand[] = [];
  let next = await commands.next();
  while (!next.done && HANDSHAKE.has(next.value.name)) {
    handshake.push(next.value);
    next = await commands.next();
  }
  return { handshake, subBatches: cutSubBatches(next.done ? undefined : next.value, commands) };
}

async function* cutSubBatches(
  first: RecordedCommand | undefined,
  commands: AsyncIterator<RecordedCommand>,
): AsyncGenerator<SubBatch> {
  let probes: RecordedCommand[] = [];
  let pipeline: RecordedCommand[] = [];
  let bytes = 0;
  let command = first;
  while (command !== undefined) {
    const ends = pipeline.length > 0 && (!joinsPipeline(command, pipeline) || bytes > MAX_PIPELINE_BYTES);
    if (ends) {
      const wait = command.name === 'WAIT' ? command : undefined;
      yield { probes, pipeline, wait };
      probes = [];
      pipeline = [];
      bytes = 0;
      if (wait) {
        command = await nextCommand(commands);
        continue;
      }
    }
    if (PROBES.has(command.name)) probes.push(command);
    else {
      pipeline.push(command);
      bytes += command.bytes.length;
    }
    command = await nextCommand(commands);
  }
  if (probes.length > 0 || pipeline.length > 0) yield { probes, pipeline, wait: undefined };
}

async function nextCommand(commands: AsyncIterator<RecordedCommand>): Promise<RecordedCommand | undefined> {
  const { value, done } = await commands.next();
  return done ? undefined : value;
}

/** Only data XADDs are pipelined; schema history, offsets and everything else wait for each answer. */
function joinsPipeline(command: RecordedCommand, pipeline: readonly RecordedCommand[]): boolean {
  return isDataEntry(command) && isDataEntry(pipeline[0]!);
}

/** Whether the command adds an entry to a data stream (and not to the schema history). */
export function isDataEntry(command: RecordedCommand): boolean {
  return command.name === 'XADD' && !command.key.startsWith('metadata:');
}
