/**
 * A job as it was written, checked and with every expression compiled: what {@link readJobs} makes of the files of `jobs/`,
 * and what the runtime turns into closures. Legacy forms are translated already. Format: specification of jobs, sections 2 to 8.
 */
import type { ConfigNotice, ConfigProblem } from '../../errors.ts';
import type { TableIdentity } from '../../types.ts';
import type { Expression } from '../expressions/types.ts';

/** An expression with its text. */
export interface CompiledExpression extends Expression {
  readonly text: string;
  readonly language: 'jmespath' | 'sql';
  /** Null when caching was not asked for, or must not be: the expression is volatile. */
  readonly cache: CacheSettings | null;
}

export interface CacheSettings {
  readonly maxSize: number;
  readonly ttlMs: number;
}

/** Member names from the outside in; never empty. */
export type FieldPath = readonly string[];

export type BlockDefinition =
  | FilterDefinition
  | MapDefinition
  | AddFieldDefinition
  | RemoveFieldDefinition
  | RenameFieldDefinition
  | LookupDefinition;

interface BlockBase {
  /** `transform[2] add_field`: how messages name the block. */
  readonly step: string;
}

export interface FilterDefinition extends BlockBase {
  readonly uses: 'filter';
  readonly expression: CompiledExpression;
}

/** The new row, field by field where that is known (`fields`), else as the object that one expression gives. */
export interface MapDefinition extends BlockBase {
  readonly uses: 'map';
  readonly mapping: MapFields | CompiledExpression;
}

export interface MapFields {
  readonly fields: readonly { readonly name: string; readonly value: MapFields | CompiledExpression }[];
}

export interface AddFieldDefinition extends BlockBase {
  readonly uses: 'add_field';
  readonly fields: readonly { readonly path: FieldPath; readonly expression: CompiledExpression }[];
}

export interface RemoveFieldDefinition extends BlockBase {
  readonly uses: 'remove_field';
  readonly paths: readonly FieldPath[];
}

export interface RenameFieldDefinition extends BlockBase {
  readonly uses: 'rename_field';
  readonly renames: readonly { readonly from: FieldPath; readonly to: FieldPath }[];
}

export interface LookupDefinition extends BlockBase {
  readonly uses: 'redis.lookup';
  readonly connection: string;
  /** Upper case words; more than one for commands with a subcommand. */
  readonly command: readonly string[];
  readonly args: readonly CompiledExpression[];
  readonly field: FieldPath;
  readonly when: CompiledExpression | null;
  readonly lookupCache: CacheSettings | null;
  readonly batch: { readonly size: number; readonly timeoutMs: number };
}

export type OutputDataType = 'hash' | 'json' | 'set' | 'sorted_set' | 'stream' | 'string';

/** An argument of a set, sorted set or string: a column, or (extension) an expression. */
export type OutputArgument = { readonly column: FieldPath } | { readonly expression: CompiledExpression };

export interface MappingItem {
  readonly source: FieldPath;
  /** One name for hashes and streams, a path for JSON documents. */
  readonly alias: FieldPath;
}

export interface OutputDefinition {
  /** `output[0] redis.write`; an implied output is called so too. */
  readonly step: string;
  readonly connection: string;
  readonly dataType: OutputDataType;
  /** Null: the default key. */
  readonly key: CompiledExpression | null;
  /** Null: all columns. */
  readonly mapping: readonly MappingItem[] | null;
  readonly member: OutputArgument | null;
  readonly score: OutputArgument | null;
  readonly value: OutputArgument | null;
  /** `replace` of a hash only when the job says so; for JSON the processor's strategy is filled in. */
  readonly onUpdate: 'replace' | 'merge';
  /** Seconds; null: never. */
  readonly expire: number | CompiledExpression | null;
  readonly nest: NestDefinition | null;
  /** Extension: one write per element of the expression's array, added to the record under `name`. */
  readonly foreach: { readonly name: string; readonly expression: CompiledExpression } | null;
  /** Extension: the output is left out for records for which this is not true. */
  readonly when: CompiledExpression | null;
  /** Extension: what a delete does. `fields` removes only what this output writes, for keys shared by jobs. */
  readonly onDelete: 'delete' | 'keep' | 'fields';
}

/** One step of `nest.path`: a name, the map entry or the array element that a column of the child names. */
export type NestPathStep =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'entry'; readonly column: string }
  | { readonly kind: 'element'; readonly column: string };

export interface NestDefinition {
  /** `serverName` and `schema` are null when the job does not name them. */
  readonly parent: { readonly table: string; readonly serverName: string | null; readonly schema: string | null };
  /** Pairs: the key column's name in the parent, and the child's column that holds its value. */
  readonly parentKey: readonly { readonly parent: string; readonly child: string }[];
  /** The whole path of the child, its own entry or element (`nesting_key`) last. */
  readonly path: readonly NestPathStep[];
  /** Extension: `skip` drops a child whose parent is not there. */
  readonly missingParent: 'create' | 'skip';
}

export interface JobDefinition {
  /** `name`, or the file's name without extension; unique. */
  readonly name: string;
  readonly file: string;
  /** Whether it is the default job (`table: "*"`). */
  readonly isDefault: boolean;
  /** Whether the selectors of the job, all of them, match. */
  readonly matches: (table: TableIdentity) => boolean;
  readonly rowFormat: 'partial' | 'full';
  /** Extension, of the job or of `processors`: a row that stops passing a filter leaves the target. */
  readonly filterRemoves: boolean;
  /** Extension: a key expression that puts null into a text is an error instead of `None`. */
  readonly strictKeys: boolean;
  readonly blocks: readonly BlockDefinition[];
  /** Never empty: a job without output writes like the default. */
  readonly outputs: readonly OutputDefinition[];
}

/** What the jobs must know of the pipeline. */
export interface JobContext {
  /** Names under `targets`. */
  readonly connections: readonly string[];
  /** Names under `sources`. */
  readonly sources: readonly string[];
  readonly dataType: 'hash' | 'json';
  readonly jsonUpdate: 'replace' | 'merge';
  readonly filterRemoves: boolean;
  readonly strictKeys: boolean;
  /** How default keys are made; `{table}:{key}` when left out. */
  readonly keyTemplate?: string;
  /** Names of tables that there are, where some are known: two patterns of jobs are compared by them. */
  readonly tables?: readonly string[];
}

/** All problems at once; with one or more of them no job may run. */
export interface ReadJobs {
  readonly jobs: readonly JobDefinition[];
  readonly problems: readonly ConfigProblem[];
  readonly notices: readonly ConfigNotice[];
}
