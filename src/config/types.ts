import type { ConfigNotice } from '../errors.ts';

/** Variables of the process, `process.env` outside tests. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** TLS towards a target. PEM texts, already read from the files that the configuration names. */
export interface TargetTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly keyPassword?: string;
  /** Absent means yes. */
  readonly verifyHostname?: boolean;
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/**
 * How to reach one target Redis. Exactly one of `host` + `port`, `socketPath`, `sentinel`, `cluster` is set; a `url` of
 * the configuration is taken apart into these, so that no password hides in a text.
 */
export interface TargetConnection {
  readonly host?: string;
  readonly port?: number;
  readonly socketPath?: string;
  readonly sentinel?: {
    readonly name: string;
    readonly nodes: readonly HostPort[];
    readonly user?: string;
    readonly password?: string;
  };
  readonly cluster?: { readonly nodes: readonly HostPort[] };
  readonly user?: string;
  readonly password?: string;
  readonly db?: number;
  readonly tls?: TargetTls;
}

type TargetDataType = 'hash' | 'json';
type JsonUpdateStrategy = 'replace' | 'merge';
/** `dlq` keeps rejected records, `ignore` drops them (counted), `abort` stops the stream at the first one. */
export type ErrorHandling = 'dlq' | 'ignore' | 'abort';
/** Whether later changes of a row with a rejected record are written, or wait behind it in the DLQ. */
export type OnReject = 'continue' | 'park_key';
type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';
type LogFormat = 'auto' | 'json' | 'pretty';

/** Exponential backoff. */
interface RetrySettings {
  /** Kept for the record: what is transient is repeated without end, whatever this says. */
  readonly maxAttempts: number;
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
  readonly multiplier: number;
}

/** Whether the replica of the target must confirm each write (`WAIT 1 timeoutMs`). */
interface WaitSettings {
  readonly enabled: boolean;
  readonly timeoutMs: number;
  readonly retry: boolean;
  readonly retryDelayMs: number;
}

/** Effective processor values: `processors.advanced.<group>` over `processors.<property>` over default. */
export interface PipelineSettings {
  readonly readBatchSize: number;
  /** At most `readBatchSize`. */
  readonly writeBatchSize: number;
  readonly retry: RetrySettings;
  readonly wait: WaitSettings;
  readonly targetConnectTimeoutMs: number;
  readonly targetSocketTimeoutMs: number;
  readonly targetDataType: TargetDataType;
  readonly jsonUpdateStrategy: JsonUpdateStrategy;
  readonly nativeJsonMerge: boolean;
  /** Default keys; `{key}` and, where wanted, `{server_name}`, `{db}`, `{schema}`, `{table}`. */
  readonly keyTemplate: string;
  /** A row that stops passing a filter leaves the target. */
  readonly filterRemoves: boolean;
  /** A key expression that puts null into a text is an error instead of `None`. */
  readonly strictKeys: boolean;
  readonly errorHandling: ErrorHandling;
  /** Only with `dlq`. */
  readonly onReject: OnReject;
  /** Records kept per DLQ stream; the oldest go first. */
  readonly dlqMaxMessages: number;
  /** Glob over stream names; only streams that match are read. Undefined: all that feeders write. */
  readonly streamPattern: string | undefined;
  /** Undefined when the pipeline does not say; then the instance's level counts. */
  readonly logLevel: LogLevel | undefined;
}

/** A file of `jobs/`, parsed as YAML, with its places. What it says is not checked yet. */
export interface JobFile {
  readonly file: string;
  readonly content: Readonly<Record<string, unknown>>;
  /** Line and column (from 1) of the value at a path, or of its nearest parent that is written in the file. */
  readonly locate: (path: readonly PropertyKey[]) => { line: number; col: number };
}

/** A pipeline as texts: what is deployed, stored and compared. */
export interface PipelineDocument {
  /** `config.yaml`. */
  readonly config: string;
  /** Files of `jobs/` by name, for example `orders.yaml`. */
  readonly jobs: Readonly<Record<string, string>>;
  /** Files of `jobs/tests/` by name. They change nothing of what runs. */
  readonly tests: Readonly<Record<string, string>>;
  /** Absolute path of the folder in which relative paths of the configuration start. */
  readonly folder: string;
}

/** A pipeline that was accepted. Deeply frozen. */
export interface LoadedPipeline {
  /** The folder as the user wrote it; undefined for a pipeline that is only a target. */
  readonly dir: string | undefined;
  /** `<dir>/config.yaml`; undefined for a pipeline that is only a target. */
  readonly file: string | undefined;
  readonly settings: PipelineSettings;
  /** Ids under `sources`, in the order of the file. */
  readonly sources: readonly string[];
  /** Names of the tables that the sources list, without database or schema, each once. */
  readonly tables: readonly string[];
  /** By target id; `target` is the default one. Empty for a cleared pipeline: see `requireTarget`. */
  readonly targets: Readonly<Record<string, TargetConnection>>;
  readonly jobs: readonly JobFile[];
  /** The whole file as written, placeholders unresolved, secrets written out in it replaced: may be shown. */
  readonly document: Readonly<Record<string, unknown>>;
  readonly notices: readonly ConfigNotice[];
  /** Values that no log, page or message may show. */
  readonly secrets: readonly string[];
  /** Absolute paths of the files that values were taken from: certificates, keys, `${file:…}`. */
  readonly files: readonly string[];
}

export interface EndpointUser {
  readonly name: string;
  readonly password: string;
}

/** TLS of the endpoint. PEM texts. */
export interface EndpointTls {
  readonly cert: string;
  readonly key: string;
  readonly keyPassword?: string;
  readonly clientCa?: string;
  readonly clientCertificates: 'none' | 'optional' | 'required';
}

interface EndpointLimits {
  readonly maxFrameBytes: number;
  readonly maxArguments: number;
  readonly maxConnections: number;
  readonly unauthenticatedTimeoutMs: number;
}

/** How to prove to Vault who we are. Tokens and ids stand here or in a file that is read again for each login. */
export type VaultLogin =
  | { readonly kind: 'token'; readonly token?: string; readonly file?: string }
  | {
      readonly kind: 'approle';
      readonly roleId: string;
      readonly secretId?: string;
      readonly secretIdFile?: string;
      readonly mount: string;
    }
  | { readonly kind: 'kubernetes'; readonly role: string; readonly jwtFile: string; readonly mount: string };

/** One entry of `secrets.vault.paths`. */
export interface VaultPath {
  /** `secret/data/rdi`, without `/v1/`. */
  readonly path: string;
  /** Only this field, under `name`; all fields under their own names without it. */
  readonly only?: { readonly field: string; readonly name: string };
}

export interface VaultSettings {
  /** Origin of the server, for example `https://vault.example.net:8200`. */
  readonly address: string;
  readonly namespace?: string;
  /** PEM text. */
  readonly ca?: string;
  /** Undefined: nothing can be read. */
  readonly login: VaultLogin | undefined;
  readonly paths: readonly VaultPath[];
  readonly refreshMs: number;
}

/** Where values for `${NAME}` come from beside the variables of the process. Paths are absolute. */
export interface SecretSources {
  /** Folder with one file per name. */
  readonly dir?: string;
  /** What encrypts the values that are kept in the store: text, or a file that holds it. */
  readonly key?: string;
  readonly keyFile?: string;
  readonly vault?: VaultSettings;
}

/** TLS of the HTTP server. PEM texts. */
export interface HttpTls {
  readonly cert: string;
  readonly key: string;
  readonly keyPassword?: string;
  /** Absolute paths of the files in which they stand, if they do: they are read again when these change. */
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** The HTTP server. Without `login` and `token` everybody who reaches it may do everything. */
export interface HttpSettings extends HostPort {
  readonly login?: { readonly user: string; readonly password: string };
  /** A bearer token that is always valid. */
  readonly token?: string;
  /** What tokens of logins are signed with; absent: a random key. */
  readonly jwtKey?: string;
  /** Metrics need no login. */
  readonly openMetrics?: boolean;
  readonly tls?: HttpTls;
}

/** What one process needs to know besides its pipeline. Deeply frozen. */
export interface Instance {
  /** Where feeders connect. Port 0 takes a free one. */
  readonly listen: HostPort;
  /** Where API, metrics, health and the web page are served; null when off. */
  readonly http: HttpSettings | null;
  /** Absolute path. */
  readonly dataDir: string;
  /** The url of `--target`, for a run without a pipeline folder, as `pipelineForTarget` takes it. May hold a password. */
  readonly target: string | undefined;
  readonly endpoint: {
    /** Empty: no login needed. */
    readonly users: readonly EndpointUser[];
    readonly tls: EndpointTls | undefined;
    readonly limits: EndpointLimits;
    /** Serve `DEL`, `CONFIG SET maxmemory` for Debezium's own tests. */
    readonly testMode: boolean;
    /** What the feeder writes for a missing key or value. */
    readonly nullKey: string;
    readonly nullValue: string;
  };
  /** Bytes the data folder may take before feeders are held back. */
  readonly diskLimitBytes: number;
  /** How long settled entries are kept for people who look, and what the data folder may hold with them. */
  readonly retention: { readonly ms: number; readonly bytes: number };
  readonly memory: {
    /** Bytes of accepted entries kept in memory for the engine; beyond it they are read back from disk. */
    readonly maxBufferedBytes: number;
    /** Bytes of entries in one read batch. */
    readonly maxBatchBytes: number;
    /** Batches between reading and settling at one time. */
    readonly maxBatchesInFlight: number;
  };
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  readonly shutdownDeadlineMs: number;
  readonly secretSources: SecretSources;
  readonly notices: readonly ConfigNotice[];
  readonly secrets: readonly string[];
}

/** One value of the instance, for the command line and the guide. */
export interface InstanceOption {
  /** Place in `rdi.yaml`, for example `['endpoint', 'tls', 'cert']`. */
  readonly path: readonly string[];
  /** Long flag without dashes, for example `data-dir`. */
  readonly flag: string;
  /** The same in camel case, the key expected in `flags` and delivered by commander: `dataDir`. */
  readonly property: string;
  /** Variable, for example `RDI_DATA_DIR`. */
  readonly variable: string;
  /** A switch takes no value on the command line. */
  readonly kind: 'text' | 'switch';
  /** Word for the value in `--help`, for example `host:port`. */
  readonly placeholder: string;
  readonly description: string;
  /** As text, where there is one. */
  readonly defaultText: string | undefined;
  readonly secret: boolean;
}
