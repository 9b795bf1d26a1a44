import { archiveAccess } from './archiveAccess.ts';
import type { ProcessAccess, ProcessName } from './processAccess.ts';
import { archive, core } from './tableRows.ts';

/** The calls that Lambda's event source makes in the name of its function. */
const eventSource = ['DeleteMessage', 'GetQueueAttributes', 'ReceiveMessage'] as const;
/** What looking at dead letters takes, and what settling them takes. A letter that was looked at is let go. */
export const deadLetters = [
  'ChangeMessageVisibility',
  'DeleteMessage',
  'GetQueueAttributes',
  'ReceiveMessage',
] as const;

/**
 * The calls that each process may make, as a table: whatever is not here is refused. The rows were found by reading the
 * calls in the code. A write in a transaction counts as the write that it is.
 */
export const processAccess: Readonly<Record<ProcessName, ProcessAccess>> = {
  api: {
    tables: [
      core('KEY', 'GetItem'),
      core('TENANT', 'DeleteItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'),
      core('SHARD', 'GetItem', 'UpdateItem'),
      // Slices of the rates of tenants.
      core('RATE', 'UpdateItem'),
      // The places of connections to which no account was ever linked.
      core('UNPAIRED', 'PutItem', 'Query'),
      core('CON', 'BatchGetItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'),
      core('UNQUEUED', 'PutItem'),
      // The lines of bulk sends.
      core('BULK', 'PutItem', 'Query'),
      // Scheduled messages: kept, listed, moved and cancelled.
      core('DUE', 'DeleteItem', 'PutItem', 'Query'),
      // The API writes a stand-in for a page that never came, so that readers go on.
      core('EVENTS', 'BatchGetItem', 'GetItem', 'PutItem', 'Query'),
      // Requests that wait for events have places, of which a tenant has a few.
      core('READERS', 'DeleteItem', 'PutItem', 'Query'),
      // Tickets for streams: made here, and used up where streams are served.
      core('TICKET', 'PutItem'),
      // The people whom a connection knows, and its chats.
      core('CONTACTS', 'BatchGetItem', 'GetItem', 'Query'),
      core('CHATS', 'BatchGetItem', 'Query'),
      // What phones have told of before the account was linked.
      core('HISTORY', 'Query'),
      // The API counts how many actions of a connection are open.
      core('ACTIONS', 'Query'),
      // When a tenant says that its receiver is back, the deliveries that wait for it are sent.
      core('ENDPOINT', 'DeleteItem', 'PartiQLInsert', 'PutItem', 'Query', 'UpdateItem'),
      // Files: shown, asked for again, and brought.
      core('MEDIA', 'BatchGetItem', 'DeleteItem', 'GetItem', 'PutItem', 'UpdateItem'),
      // What a tenant chooses about its files, and how much is kept: what it brings is counted when it is here.
      core('FILES', 'GetItem', 'PutItem'),
      core('OBJECT', 'DeleteItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'),
      core('KEPT', 'Query', 'UpdateItem'),
      // Exports and erasures of contacts: asked for, shown, and put into the list of what is due.
      archive('DeleteItem', 'GetItem', 'PutItem', 'Query'),
      // The trails of audit of tenants, to which rows are only ever added.
      { table: 'core', keys: ['AUDIT#tnt_*'], actions: ['PutItem', 'Query'] },
    ],
    queues: [
      { queue: 'commands', actions: ['SendMessage'] },
      { queue: 'deliveries', actions: ['SendMessage'] },
      { queue: 'media', actions: ['SendMessage'] },
    ],
    // An address is used in the name of this function, which made it: to read a file, and to bring one. What came by an address is
    // copied and removed. Without the right to list, S3 does not say that there is none yet.
    objects: ['DeleteObject', 'GetObject', 'ListBucket', 'ListMultipartUploadParts', 'PutObject'],
    writtenObjects: '*/brought/*',
    dataKeys: false,
  },
  admin: {
    tables: [
      core('KEY', 'DeleteItem', 'GetItem', 'PutItem'),
      core('TENANT', 'ConditionCheckItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'),
      // The list of tenants.
      core('TENANTS', 'PutItem', 'Query', 'UpdateItem'),
      // A tenant that is suspended or resumed, whose connections and webhooks follow.
      { table: 'core', keys: ['TENANT_WORK'], actions: ['PutItem'] },
      // The deletion of a tenant: begun here, and noted for each connection that ends with it.
      archive('PutItem'),
      // The trails of audit, to which rows are only ever added.
      core('AUDIT', 'PutItem', 'Query'),
      // The admin routes show the oldest message that waits on a connection.
      core('PARKED', 'Query'),
      // Rows of exports are brought back: an insert reads nothing, and takes nobody's place.
      core('CON', 'PartiQLInsert'),
      core('CHATS', 'PartiQLInsert'),
      core('CONTACTS', 'PartiQLInsert'),
      core('HISTORY', 'PartiQLInsert'),
      { table: 'core', onShardIndex: true, keys: ['SHARD#*'], actions: ['Query'] },
      { table: 'fleet', actions: ['Scan'] },
      { table: 'fleet', keys: ['LEASE#*'], actions: ['UpdateItem'] },
      { table: 'fleet', keys: ['WHATSAPP_VERSION'], actions: ['BatchGetItem', 'PutItem'] },
      { table: 'fleet', keys: ['DIGEST#ingest'], actions: ['BatchGetItem'] },
    ],
    queues: [
      // Dead letters are shown, sent to the queues that they came from, and put away.
      { queue: 'commandsDead', actions: deadLetters },
      { queue: 'eventsDead', actions: deadLetters },
      { queue: 'deliveriesDead', actions: deadLetters },
      { queue: 'mediaDead', actions: deadLetters },
      { queue: 'commands', actions: ['SendMessage'] },
      { queue: 'events', actions: ['SendMessage'] },
      { queue: 'deliveries', actions: ['SendMessage'] },
      { queue: 'media', actions: ['SendMessage'] },
    ],
    dataKeys: false,
  },
  ingest: {
    tables: [
      core('TENANT', 'GetItem', 'Query', 'UpdateItem'),
      core('CON', 'BatchGetItem', 'PartiQLInsert', 'PartiQLUpdate', 'PutItem', 'UpdateItem'),
      core('EVENTS', 'GetItem', 'PutItem', 'UpdateItem'),
      // The rows of the files of messages are written with them, and say that they are to be erased when those are taken back.
      core('MEDIA', 'PartiQLInsert', 'PartiQLUpdate', 'PutItem', 'UpdateItem'),
      // Files of a connection are erased from when it was deleted.
      { table: 'core', keys: ['ERASURES'], actions: ['PartiQLInsert', 'PutItem'] },
      // The people who are seen in facts.
      core('CONTACTS', 'BatchGetItem', 'PutItem', 'UpdateItem'),
      // What events say about chats. One that turns out to be another one goes.
      core('CHATS', 'BatchGetItem', 'DeleteItem', 'PartiQLInsert', 'PartiQLUpdate', 'PutItem', 'UpdateItem'),
      // A message of a history that others name, such as one that is voted on.
      core('HISTORY', 'BatchGetItem', 'Query'),
      // Events for webhooks in strict order.
      core('ENDPOINT', 'PartiQLInsert', 'PutItem'),
      // Ingest notes how far behind it is.
      { table: 'fleet', keys: ['DIGEST#ingest'], actions: ['PutItem'] },
    ],
    queues: [
      // Ingest tells what it finds of people to itself.
      { queue: 'events', actions: ['SendMessage', ...eventSource] },
      // A record that is refused for good goes here, so that nothing waits behind it.
      { queue: 'eventsDead', actions: ['SendMessage'] },
      { queue: 'deliveries', actions: ['SendMessage'] },
      { queue: 'media', actions: ['SendMessage'] },
    ],
    dataKeys: false,
  },
  deliver: {
    tables: [
      core('TENANT', 'GetItem', 'UpdateItem'),
      core('EVENTS', 'GetItem'),
      // These rows are an endpoint's attempts, and the deliveries that wait for it.
      core('ENDPOINT', 'DeleteItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'),
      // A batch that waits for a receiver has one of two places to do so.
      core('PATIENCE', 'UpdateItem'),
      // A delivery that waits for hours is found again by the time of its next attempt.
      core('RETRY', 'PutItem'),
    ],
    queues: [
      { queue: 'deliveries', actions: ['ChangeMessageVisibility', 'SendMessage', ...eventSource] },
      // What is for an endpoint that takes its time goes on there, and waits there for its next attempt.
      { queue: 'slowDeliveries', actions: ['ChangeMessageVisibility', 'SendMessage', ...eventSource] },
      // A delivery goes here after its last attempt.
      { queue: 'deliveriesDead', actions: ['SendMessage'] },
      // Deliver tells that a webhook is disabled.
      { queue: 'events', actions: ['SendMessage'] },
    ],
    dataKeys: false,
  },
  reconcile: {
    tables: [
      {
        table: 'core',
        keys: ['UNQUEUED', 'UNQUEUED#*', 'LOOK', 'LOOK#*', 'RETRY', 'RETRY#*'],
        actions: ['GetItem', 'PutItem', 'Query'],
      },
      core('CON', 'GetItem', 'Query'),
      // Deliveries that waited for hours, or until their tenant was resumed, go into their queue.
      core('ENDPOINT', 'DeleteItem', 'PutItem', 'Query', 'UpdateItem'),
      // Connections and webhooks of tenants that were suspended, resumed or deleted; those that end with their tenant are noted.
      { table: 'core', keys: ['TENANT_WORK'], actions: ['DeleteItem', 'Query'] },
      core('ARCHIVE', 'PutItem'),
      core('TENANT', 'ConditionCheckItem', 'Query', 'UpdateItem'),
    ],
    queues: [
      { queue: 'commands', actions: ['SendMessage'] },
      { queue: 'deliveries', actions: ['SendMessage'] },
    ],
    dataKeys: false,
  },
  dispatch: {
    tables: [
      { table: 'core', keys: ['DUE', 'DUE#*'], actions: ['DeleteItem', 'GetItem', 'PutItem', 'Query'] },
      core('CON', 'DeleteItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'),
      // How many messages wait on a connection already, and one less where one that is parked is cancelled.
      core('TENANT', 'GetItem', 'UpdateItem'),
      // Whether a message that was due has ended is seen later.
      core('LOOK', 'PutItem'),
      // Bulk sends: their lines become messages, and what is cancelled waits no more.
      core('BULK', 'DeleteItem', 'Query'),
      core('PARKED', 'DeleteItem', 'Query'),
      // Files and rows of connections that were deleted.
      { table: 'core', keys: ['ERASURES'], actions: ['DeleteItem', 'Query', 'UpdateItem'] },
      core('HISTORY', 'DeleteItem', 'Query'),
      core('CHATS', 'DeleteItem', 'Query'),
      core('CONTACTS', 'DeleteItem', 'Query'),
      // Where the tenant of a connection is deleted: its files are noted, and on its note how far it is.
      core('FILES', 'PutItem'),
      core('ARCHIVE', 'UpdateItem'),
    ],
    queues: [
      { queue: 'commands', actions: ['SendMessage'] },
      // Dispatch says which files are to be erased.
      { queue: 'media', actions: ['SendMessage'] },
      // Dispatch tells that a bulk send is over.
      { queue: 'events', actions: ['SendMessage'] },
    ],
    dataKeys: false,
  },
  // The media function meets WhatsApp's hosts and bytes of strangers: it sees no session and no key of the API, and of messages those of histories.
  media: {
    tables: [
      core('MEDIA', 'DeleteItem', 'GetItem', 'PartiQLInsert', 'PutItem', 'UpdateItem'),
      // Files as they lie at WhatsApp.
      core('UPLOAD', 'DeleteItem', 'GetItem', 'PutItem', 'Query'),
      // For how long a tenant has its files kept, which of them hold an object, and how much is kept. Of a tenant that is deleted the notes of files go.
      core('FILES', 'DeleteItem', 'GetItem'),
      core('OBJECT', 'DeleteItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'),
      core('KEPT', 'UpdateItem'),
      // Histories of phones: notices, messages, chats and people; and which of the messages are there by themselves.
      core('HISTORY', 'BatchGetItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'),
      core('CON', 'BatchGetItem'),
      core('CHATS', 'BatchGetItem', 'PutItem', 'UpdateItem'),
      core('CONTACTS', 'BatchGetItem', 'PutItem', 'UpdateItem'),
    ],
    queues: [
      // A file that the phone is asked for is looked at again for longer than one message of the queue may be given out.
      { queue: 'media', actions: ['ChangeMessageVisibility', 'SendMessage', ...eventSource] },
      // The owner of the connection asks its phone for a file that WhatsApp no longer has, and is told that one is at WhatsApp.
      { queue: 'commands', actions: ['SendMessage'] },
      // What became of a file is a fact.
      { queue: 'events', actions: ['SendMessage'] },
    ],
    // S3 wants the right to read of whoever completes an upload in parts, for the bucket's key.
    objects: ['AbortMultipartUpload', 'DeleteObject', 'GetObject', 'ListBucket', 'PutObject'],
    dataKeys: false,
  },
  archive: archiveAccess,
  // The stream service reads the log. It writes what stands in for a page that never came, its places, and that a ticket is used up.
  stream: {
    tables: [
      core('KEY', 'GetItem'),
      core('TENANT', 'GetItem'),
      core('EVENTS', 'BatchGetItem', 'PutItem', 'Query'),
      core('READERS', 'UpdateItem'),
      core('TICKET', 'DeleteItem'),
    ],
    queues: [],
    dataKeys: false,
  },
  taskStopped: {
    tables: [{ table: 'fleet', keys: ['LEASE#*'], actions: ['Query', 'UpdateItem'] }],
    queues: [],
    dataKeys: false,
  },
  watchdog: {
    tables: [
      { table: 'fleet', actions: ['BatchGetItem', 'Scan'] },
      { table: 'fleet', keys: ['LEASE#*'], actions: ['UpdateItem'] },
      { table: 'fleet', keys: ['WATCHDOG'], actions: ['PutItem'] },
    ],
    queues: [{ queue: 'commands', actions: ['SendMessage'] }],
    dataKeys: false,
  },
  worker: {
    tables: [
      core('TENANT', 'DeleteItem', 'GetItem', 'UpdateItem'),
      core('SHARD', 'UpdateItem'),
      core('UNPAIRED', 'DeleteItem'),
      { table: 'core', onShardIndex: true, keys: ['SHARD#*'], actions: ['Query'] },
      core('CON', 'DeleteItem', 'GetItem', 'PutItem', 'Query', 'UpdateItem'),
      core('PARKED', 'DeleteItem', 'PutItem', 'Query'),
      // A message that waits and expires is to be looked after then.
      core('DUE', 'PutItem'),
      core('ACTIONS', 'DeleteItem', 'PutItem', 'Query'),
      // What the phone tells of the history, and the messages of it.
      core('HISTORY', 'PutItem', 'Query'),
      // Files that the phone is asked for, and what it answers; and pictures that WhatsApp shows, which are kept as long as the tenant says.
      core('MEDIA', 'GetItem', 'PutItem', 'UpdateItem'),
      core('FILES', 'GetItem', 'PutItem'),
      // Files that messages are made of, as they lie at WhatsApp.
      core('UPLOAD', 'GetItem'),
      // What WhatsApp has answered about phone numbers.
      core('CONTACTS', 'BatchGetItem', 'PutItem'),
      { table: 'fleet', actions: ['BatchGetItem', 'PutItem', 'Scan', 'UpdateItem'] },
      { table: 'fleet', keys: ['EVENT_QUEUES'], actions: ['GetItem'] },
      // A connection's facts go to another queue only while the shard has the same owner.
      { table: 'fleet', keys: ['SHARD#*'], actions: ['ConditionCheckItem'] },
      // A session is removed where its tenant is deleted.
      { table: 'sessions', actions: ['BatchGetItem', 'DeleteItem', 'PutItem', 'Query', 'UpdateItem'] },
    ],
    queues: [
      { queue: 'commands', actions: ['ChangeMessageVisibility', 'DeleteMessage', 'ReceiveMessage'] },
      // A command that cannot be read goes here, so that nothing waits behind it.
      { queue: 'commandsDead', actions: ['SendMessage'] },
      { queue: 'events', actions: ['SendMessage'] },
      // A file that the phone has uploaded again is fetched, and one that is sent is brought to WhatsApp.
      { queue: 'media', actions: ['SendMessage'] },
    ],
    dataKeys: true,
  },
  // The canary calls the API as a tenant does. Its key is a parameter, which a statement of its own names
  // (infra/stacks/canary.ts).
  canary: { tables: [], queues: [], dataKeys: false },
  // The one-off task after a restore of Sessions, while no worker runs: it looks at every session, raises every epoch above
  // any that was seen, and leaves ratchets behind. Nothing else may read that table from end to end.
  restore: {
    tables: [
      // Every tenant's log begins an era, so that no id of an event is given a second time.
      { table: 'core', actions: ['Scan'] },
      { table: 'core', keys: ['TENANT#*'], actions: ['GetItem', 'UpdateItem'] },
      { table: 'core', keys: ['EVENTS#*'], actions: ['UpdateItem'] },
      { table: 'fleet', actions: ['Scan', 'UpdateItem'] },
      { table: 'sessions', actions: ['BatchGetItem', 'PutItem', 'Scan'] },
    ],
    queues: [],
    dataKeys: true,
  },
};
