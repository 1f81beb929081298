import type { Database, Setting } from './types.ts';
import { PASSWORD, USER } from './variable.ts';

export const MONGODB_FLAVORS = ['mongodb-atlas', 'mongodb-replica-set', 'mongodb-sharded-cluster'] as const;
export type MongodbFlavor = (typeof MONGODB_FLAVORS)[number];

/** What differs between the ways to run a MongoDB: how it is reached, and what it asks for. */
interface Flavor {
  readonly address: string;
  /** What the address is, for the comment above it. */
  readonly words: string;
  readonly server: readonly string[];
  readonly settings: readonly Setting[];
}

const LOGIN = 'authSource=admin';

const FLAVORS: Readonly<Record<MongodbFlavor, Flavor>> = {
  'mongodb-replica-set': {
    address: `mongodb://127.0.0.1:27017/?replicaSet=rs0&${LOGIN}`,
    words: 'EDIT: the members of the replica set, and its name.',
    server: ['The server is a replica set; also a single one has no change streams otherwise (`rs.initiate()`).'],
    settings: [],
  },
  'mongodb-sharded-cluster': {
    address: `mongodb://127.0.0.1:27017/?${LOGIN}`,
    words: 'EDIT: the mongos routers of the cluster, never a shard: only they see changes of all shards in order.',
    server: ['Each shard is a replica set, and the address names the mongos routers.'],
    settings: [],
  },
  'mongodb-atlas': {
    address: `mongodb+srv://CLUSTER.mongodb.net/?retryWrites=true&${LOGIN}`,
    words: 'EDIT: the address that Atlas shows for drivers, without user and password.',
    server: [
      'A dedicated cluster (M10 and later). Free and flex ones keep the log too short to be read reliably.',
      'The address of the feeder is on the access list of the project.',
    ],
    settings: [
      {
        name: 'mongodb.ssl.enabled',
        value: 'true',
        reason: 'Atlas speaks TLS only.',
      },
    ],
  },
};

/** A MongoDB of one of its flavors. */
export function mongodb(flavor: MongodbFlavor): Database {
  const { address, words, server, settings } = FLAVORS[flavor];
  return {
    label: 'MongoDB',
    collector: 'cdc',
    connection: [`connection_string: "${address}"`, `user: ${USER}`, `password: ${PASSWORD}`],
    capture: [
      'databases: [shop]',
      '# Without this section every collection is captured.',
      '# tables:',
      '#   shop.orders: {}',
    ],
    server: [...server, 'The user may read the databases (`read`) and watch the cluster (`changeStream`, `find`).'],
    debezium: {
      place: () => [
        {
          name: 'connector.class',
          value: 'io.debezium.connector.mongodb.MongoDbConnector',
          reason: 'The connector reads change streams.',
        },
        { name: 'mongodb.connection.string', value: address, reason: words },
        {
          name: 'mongodb.user',
          value: USER,
          reason: 'Read from the environment, so that no secret stands here.',
        },
        { name: 'mongodb.password', value: PASSWORD, reason: 'Read from the environment, too.' },
        ...settings,
        {
          name: 'database.include.list',
          value: 'shop',
          reason: 'EDIT: the databases to capture (comma list). Without it: all of them.',
        },
        {
          name: 'collection.include.list',
          value: 'shop.orders,shop.customers',
          reason: 'To capture only some collections.',
          isOff: true,
        },
      ],
      values: [
        {
          name: 'capture.mode',
          value: 'change_streams_update_full',
          reason: 'Each update brings the whole document, so that a key is complete also when it was not there before.',
        },
      ],
      format: [],
      hasHistory: false,
    },
  };
}
