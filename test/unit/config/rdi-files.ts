/** Pipelines as RDI's users write them, one for each database and each processor, in the words of RDI's reference. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders are those of the configuration.

const target = `targets:
  target:
    name: the cache
    connection:
      type: redis
      host: redis-12000.cluster.local
      port: 12000
      user: \${TARGET_DB_USERNAME}
      password: \${TARGET_DB_PASSWORD}
`;

export const RDI_FILES: Readonly<Record<string, string>> = {
  postgresql: `sources:
  psql:
    type: cdc
    logging:
      level: info
    connection:
      type: postgresql
      host: 10.0.0.7
      port: 5432
      database: chinook
      user: \${SOURCE_DB_USERNAME}
      password: \${SOURCE_DB_PASSWORD}
    schemas:
      - public
    tables:
      public.invoice: {}
      public.track:
        columns: [trackid, name, unitprice]
        keys: [trackid]
      public.employee:
        snapshot_sql: |
          select *
            from public.employee
           where reportsto is not null
    advanced:
      sink:
        redis.batch.size: 1000
        redis.memory.limit.mb: 300
      source:
        slot.name: rdi
        plugin.name: pgoutput
        publication.autocreate.mode: filtered
        unavailable.value.placeholder: __debezium_unavailable_value
        max.batch.size: \${MAX_BATCH}
      quarkus:
        quarkus.log.level: DEBUG
      resources: { cpu: "1", memory: 1Gi }
      java_options: "-Xmx2g"
${target}`,

  mysql: `sources:
  mysql-src:
    connection:
      type: mysql
      host: mysql
      port: 3306
      user: \${SOURCE_DB_USERNAME}
      password: \${SOURCE_DB_PASSWORD}
    databases: [inventory]
    tables:
      inventory.customers:
      orders: { columns: [id, total], keys: [id] }
    advanced:
      source:
        database.server.id: 184054
        gtid.source.includes: "abc,def"
        snapshot.mode: initial
${target}`,

  mariadb: `sources:
  maria:
    type: cdc
    active: false
    connection: { type: mariadb, host: "\${HOST_IP}", port: "\${SOURCE_PORT}", database: shop, user: u, password: p }
${target}processors:
`,

  oracle: `sources:
  ora:
    type: cdc
    connection: { type: oracle, host: ora, port: 1521, database: ORCLCDB, user: c##dbzuser, password: "\${SOURCE_DB_PASSWORD}" }
    schemas: [HR]
    tables: { HR.EMPLOYEES: { columns: [ID, NAME], keys: [ID] } }
    advanced:
      source:
        database.pdb.name: ORCLPDB1
        lob.enabled: true
        heartbeat.interval.ms: 60000
        heartbeat.action.query: "insert into heartbeat values (1)"
${target}`,

  sqlserver: `sources:
  mssql:
    type: cdc
    connection:
      type: sqlserver
      host: server.database.windows.net
      port: 1433
      database: a,b
      user: \${SOURCE_DB_USERNAME}
      password: \${SOURCE_DB_PASSWORD}
    schemas: [dbo]
    advanced:
      source:
        driver.authentication: ActiveDirectoryServicePrincipal
        database.encrypt: "true"
        database.trustServerCertificate: "false"
        database.hostNameInCertificate: "*.database.windows.net"
        database.applicationIntent: ReadOnly
${target}`,

  mongodb: `sources:
  mongo:
    type: cdc
    connection:
      type: mongodb
      connection_string: mongodb://\${SOURCE_DB_USERNAME}:\${SOURCE_DB_PASSWORD}@mongo-1:27017,mongo-2:27017/?replicaSet=rs0
      user: \${SOURCE_DB_USERNAME}
      password: \${SOURCE_DB_PASSWORD}
      database: shop,crm
    databases: [shop]
    tables:
      shop.customers: { exclude_columns: [ssn] }
    advanced: { source: { capture.mode: change_streams_update_full, mongodb.ssl.enabled: true } }
${target}`,

  spanner: `sources:
  span:
    type: flink
    connection:
      type: spanner
      project_id: p
      instance_id: i
      database_id: d
      change_streams:
        all_tables:
        orders: { retention_period_hours: 24 }
        items: { retention_period_hours: "\${HOURS}" }
      use_credentials_file: true
    advanced:
      source: { spanner.version.retention.period.hours: 1, spanner.dialect: GOOGLESQL }
      sink: { redis.flush.interval.ms: 100, redis.oom.retry.backoff.multiplier: 2, redis.wait.write.timeout.ms: 1000 }
      flink: { parallelism.default: 2, taskmanager.numberOfTaskSlots: 1, taskmanager.memory.process.size: 2048m }
${target}`,

  snowflake: `sources:
  snow:
    type: riotx
    connection:
      type: snowflake
      url: jdbc:snowflake://x.snowflakecomputing.com/
      user: \${SOURCE_DB_USERNAME}
      database: DB
      warehouse: WH
      role: R
      cdcDatabase: CDC
      cdcSchema: PUBLIC
    schemas: [PUBLIC]
    advanced:
      riotx: { poll: 30s, snapshot: INITIAL, streamPrefix: "data:", streamLimit: 100, clearOffset: false, count: 0 }
${target}`,

  external: `sources:
  kafka:
    type: external
${target}`,

  'certificates by reference': `targets:
  target:
    connection:
      type: redis
      host: h
      port: 6380
      password: \${TARGET_DB_PASSWORD}
      cacert: \${TARGET_DB_CACERT}
`,

  'every classic processor property': `${target}processors:
  type: classic
  read_batch_size: \${READ_BATCH}
  read_batch_timeout_ms: 100
  duration: 100
  write_batch_size: 200
  enable_async_processing: true
  batch_queue_size: 3
  ack_queue_size: 10
  dedup: false
  dedup_max_size: 1024
  dedup_strategy: ignore
  error_handling: dlq
  dlq_max_messages: 1000
  target_data_type: hash
  json_update_strategy: merge
  use_native_json_merge: true
  initial_sync_processes: 4
  idle_sleep_time_ms: 200
  idle_streams_check_interval_ms: 1000
  busy_streams_check_interval_ms: 5000
  retry_max_attempts: 5
  retry_initial_delay_ms: 1000
  retry_max_delay_ms: 10000
  wait_enabled: false
  wait_timeout: 1000
  retry_on_replica_failure: yes
  on_failed_retry_interval: 5
  debezium_lob_encoded_placeholder: X19k
`,

  'every Flink processor property': `${target}processors:
  type: flink
  logging: { level: debug }
  advanced:
    source:
      stream.name.pattern: "data:*"
      discovery.interval.ms: 0
      batch.size: 2000
      batch.timeout.ms: 100
      connection.timeout.ms: 2000
      socket.timeout.ms: 2000
      retry.max.attempts: 5
      retry.initial.delay.ms: 100
      retry.max.delay.ms: 3000
      retry.backoff.multiplier: 1.5
    target:
      batch.size: 200
      flush.interval.ms: 100
      connection.timeout.ms: 2000
      socket.timeout.ms: 2000
      retry.max.attempts: 5
      retry.initial.delay.ms: 1000
      retry.max.delay.ms: 10000
      retry.backoff.multiplier: 2
      wait.enabled: false
      wait.write.timeout.ms: 1000
      wait.retry.enabled: true
      wait.retry.delay.ms: 1000
    dlq: { max.len: 1000, batch.size: 100, retry.max.attempts: 1, wait.enabled: false }
    processor: { default.data.type: hash, default.json.update.strategy: replace, dlq.enabled: true }
    flink: { parallelism.default: 2, taskmanager.numberOfTaskSlots: 1, taskmanager.memory.process.size: 2048m, any.other: x }
    resources: { taskManager: { replicas: 1 } }
`,

  'secret providers and metadata': `${target}metadata:
  name: my pipeline
  description: it works
  revision: 0
  tags: [prod, v1.2, a_b-c]
secret-providers:
  vault:
    type: vault
    parameters:
      objects:
        - objectName: db-password
          secretPath: secret/data/db
          secretKey: password
`,

  'several sources and targets': `sources:
  a-1: { connection: { type: mysql } }
  b-2: { connection: { type: postgresql } }
targets:
  target: { connection: { type: redis, host: h, port: 1 } }
  second: { connection: { type: redis, host: h, port: 2, user: u, password: p } }
`,

  'anchors and merge keys': `targets:
  target:
    connection: &redis { type: redis, host: h, port: 1 }
  second:
    connection:
      <<: *redis
      port: 2
`,
};

export const RDI_VARIABLES: Readonly<Record<string, string>> = {
  TARGET_DB_USERNAME: 'writer',
  TARGET_DB_PASSWORD: 'target-password-1',
  READ_BATCH: '500',
};
