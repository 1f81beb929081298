/** A line of `application.properties` with the reason for it, which stands above it as a comment. */
export interface Setting {
  readonly reason: string;
  readonly name: string;
  readonly value: string;
  /** Written as a comment: only some need it. */
  readonly isOff?: true;
}

/** What one kind of database puts into the files. */
export interface Database {
  /** As people write it. */
  readonly label: string;
  /** `sources.<id>.type` of RDI's `config.yaml`. */
  readonly collector: 'cdc' | 'flink' | 'riotx';
  /** YAML lines below `connection:`, without indentation; the type comes first by itself. */
  readonly connection: readonly string[];
  /** YAML lines beside `connection`, without indentation: which schemas or databases, which tables. */
  readonly capture: readonly string[];
  /** What must be so at the server before a feeder can read its log; one sentence each. */
  readonly server: readonly string[];
  /** Null for databases that no Debezium Server reads for us. */
  readonly debezium: Debezium | null;
}

/** Settings of a Debezium connector. Names without `debezium.source.`. */
export interface Debezium {
  /** Where the database is; the lines that a person edits. `${source}` stands for the source's name in words, see `Names`. */
  readonly place: (names: Names) => readonly Setting[];
  /** Settings that keep values right, beyond those of every connector. */
  readonly values: readonly Setting[];
  /** Settings of `debezium.format.*`, full names, that keep values right. */
  readonly format: readonly Setting[];
  /** Whether the connector keeps a history of table definitions. */
  readonly hasHistory: boolean;
}

/** The name of the source in the spellings that settings allow. */
export interface Names {
  /** As given: `orders-eu`. */
  readonly source: string;
  /** Letters, digits and underscores: `orders_eu`. */
  readonly word: string;
}
