import { buildApp } from 'fauxqs';
import { GroupCommits, type Database } from './groupCommits.ts';
import { wakeInTurns } from './queueWaiters.ts';

/**
 * The SQS and S3 emulator. `startFauxqs` of the package listens on all interfaces, so the application is built here from
 * the same pieces and listens on loopback only. The pieces are not exported, hence the file URLs: the version is pinned.
 */
const packageFile = (name: string): string => new URL(`../../node_modules/fauxqs/dist/${name}`, import.meta.url).href;

interface Stores {
  readonly SqsStore: new () => { persistence?: unknown; allQueues: () => Iterable<{ persistence?: unknown }> };
  readonly SnsStore: new () => { persistence?: unknown };
  readonly S3Store: new () => { persistence?: unknown };
}

interface Persistence {
  readonly db: Database;
  transaction: (write: () => void) => void;
  updateMessageReady: (messageId: string) => void;
  readonly updateMessageInflight: (
    messageId: string,
    receiptHandle: string | null,
    visibilityDeadline: number | null,
    receiveCount: number,
    firstReceivedAt: number | undefined,
  ) => void;
  readonly load: (sqs: unknown, sns: unknown, s3: unknown) => void;
  readonly close: () => void;
}

export interface QueueServer {
  /** The base URL, for example `http://127.0.0.1:4566`. */
  readonly endpoint: string;
  readonly stop: () => Promise<void>;
}

/**
 * Starts the emulator.
 * @param options.port 0 takes any free port
 * @param options.dataDir where messages survive a restart
 */
export async function startQueueServer(options: {
  readonly port: number;
  readonly dataDir?: string;
}): Promise<QueueServer> {
  const { SqsStore, SqsQueue } = (await import(packageFile('sqs/sqsStore.js'))) as Pick<Stores, 'SqsStore'> & {
    readonly SqsQueue: { readonly prototype: object };
  };
  const { SnsStore } = (await import(packageFile('sns/snsStore.js'))) as Pick<Stores, 'SnsStore'>;
  const { S3Store } = (await import(packageFile('s3/s3Store.js'))) as Pick<Stores, 'S3Store'>;
  const { PersistenceManager } = (await import(packageFile('persistence.js'))) as {
    readonly PersistenceManager: new (dataDir: string) => Persistence;
  };
  await takeAllCharacters();
  wakeInTurns(SqsQueue.prototype);
  const sqsStore = new SqsStore();
  const snsStore = new SnsStore();
  const s3Store = new S3Store();
  const persistence = options.dataDir === undefined ? undefined : new PersistenceManager(options.dataDir);
  let commits: GroupCommits | undefined;
  if (persistence !== undefined) {
    // Version 2.4.1 writes NULL into a column that does not accept it when a visibility is set to 0, and the message is
    // gone until a restart.
    persistence.updateMessageReady = (messageId) =>
      persistence.updateMessageInflight(messageId, null, null, 0, undefined);
    // Loading comes first: a store that already has its persistence would write every loaded row again.
    persistence.load(sqsStore, snsStore, s3Store);
    commits = gatherWrites(persistence);
    for (const store of [sqsStore, snsStore, s3Store, ...sqsStore.allQueues()]) store.persistence = persistence;
  }
  const app = buildApp({
    logger: false,
    defaultRegion: 'us-east-1',
    stores: { sqsStore, snsStore, s3Store } as never,
  });
  app.addHook('onSend', async () => commits?.committed());
  const endpoint = await app.listen({ port: options.port, host: '127.0.0.1' });
  return {
    endpoint,
    stop: async () => {
      await app.close();
      commits?.commit();
      persistence?.close();
    },
  };
}

/** What the emulator writes for SQS. The rest of it has transactions of its own, which are not used here. */
const WRITES = [
  'insertQueue',
  'deleteQueue',
  'updateQueueAttributes',
  'updateQueueSequenceCounter',
  'insertMessage',
  'deleteMessage',
  'updateMessageInflight',
  'updateMessageReady',
  'deleteQueueMessages',
] as const;

function gatherWrites(persistence: Persistence): GroupCommits {
  const commits = new GroupCommits(persistence.db);
  commits.gather(persistence, WRITES);
  const transaction = persistence.transaction.bind(persistence);
  persistence.transaction = (write) => {
    commits.commit();
    transaction(write);
  };
  return commits;
}

/**
 * The characters that SQS accepts in a body. Version 2.4.1 of the emulator lacks the last range, so it refuses an emoji
 * that is not escaped.
 */
const TAKEN = /^[\t\n\r -\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;

/**
 * Makes the emulator accept all of these characters. It asks a pattern whether a body has any other character, and its
 * parts share that object.
 */
async function takeAllCharacters(): Promise<void> {
  const { INVALID_MESSAGE_BODY_CHAR: pattern } = (await import(packageFile('sqs/sqsTypes.js'))) as {
    readonly INVALID_MESSAGE_BODY_CHAR: RegExp;
  };
  pattern.test = (body) => !TAKEN.test(body);
}
