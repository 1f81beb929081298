import type { StateStore } from './state-store.ts';

/** A configuration as it was deployed. */
export interface StoredRevision {
  readonly number: number;
  /** ms since the epoch. */
  readonly createdAt: number;
  readonly origin: string;
  readonly note: string;
  /** JSON text of the deployed files; may hold secrets. */
  readonly document: string;
  /** Everything before this position was settled when it came into force. */
  readonly position: number;
}

/** Which revision is in force, and what a person wants of the pipeline. */
export interface PipelineRow {
  /** Null when nothing is deployed. */
  readonly revision: number | null;
  readonly isActive: boolean;
  /**
   * `any`: whoever feeds is served. `awaited`: after a reset nothing is accepted until a feeder starts anew. `resetting`: the
   * reset is to be finished before anything is read.
   */
  readonly feeder: 'any' | 'awaited' | 'resetting';
}

type PipelineChange = Partial<Pick<PipelineRow, 'isActive' | 'feeder'>>;

const FEEDER = ['any', 'awaited', 'resetting'] as const;

/** Deployed configurations, in the state store. Every change is durable when its promise resolves, and undone when it rejects. */
export class ConfigurationStore {
  readonly #state: StateStore;

  constructor(state: StateStore) {
    this.#state = state;
  }

  get pipeline(): PipelineRow {
    const row = this.#state.prepare('SELECT revision, is_active, awaits_feeder FROM pipeline').get() as
      | { revision: number | null; is_active: number; awaits_feeder: number }
      | undefined;
    if (!row) return { revision: null, isActive: true, feeder: 'any' };
    return { revision: row.revision, isActive: row.is_active === 1, feeder: FEEDER[row.awaits_feeder] ?? 'any' };
  }

  /** Stores a revision and makes it the current one, together with a change of the rest; resolves to its number. */
  async add(revision: Omit<StoredRevision, 'number'>, change: PipelineChange = {}): Promise<number> {
    const { createdAt, origin, note, document, position } = revision;
    const before = this.pipeline;
    const insert = this.#state.prepare(
      'INSERT INTO revision (created_at, origin, note, document, position) VALUES (?, ?, ?, ?, ?)',
    );
    const number = this.#state.transaction(() => {
      const { lastInsertRowid } = insert.run(createdAt, origin, note, document, BigInt(position));
      this.#set({ ...before, ...change, revision: Number(lastInsertRowid) });
      return Number(lastInsertRowid);
    });
    await this.#sync({ revision: before.revision, isActive: before.isActive });
    return number;
  }

  /** Oldest first. */
  revisions(): StoredRevision[] {
    const rows = this.#state.prepare('SELECT * FROM revision ORDER BY number').all() as unknown as RevisionRow[];
    return rows.map(toRevision);
  }

  revision(number: number): StoredRevision | null {
    const row = this.#state.prepare('SELECT * FROM revision WHERE number = ?').get(number) as RevisionRow | undefined;
    return row === undefined ? null : toRevision(row);
  }

  async change(change: PipelineChange): Promise<void> {
    const { isActive, feeder } = this.pipeline;
    this.#state.transaction(() => this.#set({ ...this.pipeline, ...change }));
    await this.#sync({
      ...(change.isActive === undefined ? {} : { isActive }),
      ...(change.feeder === undefined ? {} : { feeder }),
    });
  }

  /** Makes a change durable. One that cannot be made so is taken back: who asked for it is told that it failed. */
  async #sync(before: Partial<PipelineRow>): Promise<void> {
    try {
      await this.#state.sync();
    } catch (error) {
      this.#state.transaction(() => this.#set({ ...this.pipeline, ...before }));
      throw error;
    }
  }

  #set({ revision, isActive, feeder }: PipelineRow): void {
    const put = this.#state.prepare('INSERT OR REPLACE INTO pipeline VALUES (1, ?, ?, ?)');
    put.run(revision, isActive ? 1 : 0, FEEDER.indexOf(feeder));
  }
}

interface RevisionRow {
  number: number;
  created_at: number;
  origin: string;
  note: string;
  document: string;
  position: number;
}

function toRevision({ created_at: createdAt, ...rest }: RevisionRow): StoredRevision {
  return { createdAt, ...rest };
}
