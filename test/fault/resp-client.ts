import { connect, type Socket } from 'node:net';
import { encodeCommand } from './workload.ts';

/** An error reply, as its text. */
export class ErrorText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Answer = string | number | null | ErrorText | readonly Answer[];

/** The connection is gone, or was silent for too long; whether the commands were taken is not known. */
export class Cut extends Error {}

interface Exchange {
  readonly expected: number;
  readonly answers: Answer[];
  readonly resolve: (answers: Answer[]) => void;
  readonly reject: (cut: Cut) => void;
  readonly onProgress: ((answered: number) => void) | undefined;
}

/**
 * A connection as Debezium's client uses one: a pipeline is written as a whole, then its replies are read. Silence while
 * a reply is due cuts it. Independent of rdi's own client, so that both cannot share a mistake.
 */
export class RespClient {
  readonly #socket: Socket;
  readonly #silenceMs: number;
  #rest = Buffer.alloc(0);
  #exchange: Exchange | undefined;
  #cut: Cut | undefined;
  #silence: NodeJS.Timeout | undefined;

  private constructor(socket: Socket, silenceMs: number) {
    this.#socket = socket;
    this.#silenceMs = silenceMs;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#end(error.code ?? error.message));
    socket.on('close', () => this.#end('closed'));
  }

  /** Throws {@link Cut} when nobody listens. */
  static open(port: number, silenceMs = 2000): Promise<RespClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      const timer = setTimeout(() => socket.destroy(new Error('no connection in time')), silenceMs);
      socket.once('error', (error) => {
        clearTimeout(timer);
        reject(new Cut(error.message));
      });
      socket.once('connect', () => {
        clearTimeout(timer);
        resolve(new RespClient(socket, silenceMs));
      });
    });
  }

  get isCut(): boolean {
    return this.#cut !== undefined;
  }

  /** One command, one reply. */
  async ask(...words: string[]): Promise<Answer> {
    const [answer] = await this.send(encodeCommand(words), 1);
    return answer as Answer;
  }

  /** Writes bytes that hold `expected` commands. `onProgress` hears how many are answered, as replies come in. */
  send(bytes: Buffer, expected: number, onProgress?: (answered: number) => void): Promise<Answer[]> {
    return new Promise((resolve, reject) => {
      if (this.#cut) {
        reject(this.#cut);
        return;
      }
      this.#exchange = { expected, answers: [], resolve, reject, onProgress };
      this.#socket.write(bytes);
      this.#listen();
    });
  }

  /** Ends the connection with a reset, as Java clients do. */
  close(): void {
    this.#cut ??= new Cut('closed by the feeder');
    clearTimeout(this.#silence);
    this.#socket.resetAndDestroy();
  }

  #listen(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#end(`silent for ${this.#silenceMs} ms`), this.#silenceMs);
  }

  #receive(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const exchange = this.#exchange;
    for (let found = answerAt(bytes, 0); found; found = answerAt(bytes, 0)) {
      bytes = bytes.subarray(found.next);
      exchange?.answers.push(found.answer);
    }
    this.#rest = Buffer.from(bytes);
    if (!exchange) return;
    this.#listen();
    exchange.onProgress?.(exchange.answers.length);
    if (exchange.answers.length < exchange.expected || this.#exchange !== exchange) return;
    clearTimeout(this.#silence);
    this.#exchange = undefined;
    exchange.resolve(exchange.answers);
  }

  #end(reason: string): void {
    this.#cut ??= new Cut(reason);
    clearTimeout(this.#silence);
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.reject(this.#cut);
    this.#socket.destroy();
  }
}

interface Found {
  readonly answer: Answer;
  readonly next: number;
}

/** The reply at `at`, or undefined when it is not complete. */
function answerAt(bytes: Buffer, at: number): Found | undefined {
  const end = bytes.indexOf('\r\n', at);
  if (end === -1) return undefined;
  const line = bytes.toString('utf8', at + 1, end);
  const next = end + 2;
  switch (String.fromCharCode(bytes[at] as number)) {
    case '+':
      return { answer: line, next };
    case '-':
      return { answer: new ErrorText(line), next };
    case ':':
      return { answer: Number(line), next };
    case '$': {
      const length = Number(line);
      if (length < 0) return { answer: null, next };
      if (bytes.length < next + length + 2) return undefined;
      return { answer: bytes.toString('utf8', next, next + length), next: next + length + 2 };
    }
    case '*':
      return arrayAt(bytes, next, Number(line));
    default:
      throw new Error(`no reply: ${bytes.toString('latin1', at, at + 40)}`);
  }
}

function arrayAt(bytes: Buffer, start: number, length: number): Found | undefined {
  const answer: Answer[] = [];
  let next = start;
  for (let part = 0; part < length; part++) {
    const found = next < bytes.length ? answerAt(bytes, next) : undefined;
    if (!found) return undefined;
    answer.push(found.answer);
    next = found.next;
  }
  return { answer, next };
}
