import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/**
 * Promise *bounded*: every collection that lives as long as a process, a shard or a socket says here what keeps it small. A
 * new one makes this test fail until its bound is written down.
 */
const root = resolve(import.meta.dirname, '../..');
const SOURCE_ROOTS = ['shared', 'functions', 'worker'] as const;

const bounds: Readonly<Record<string, string>> = {
  'shared/kernel/scope.ts #held': 'what is open: each entry goes with its release',
  'shared/kernel/scope.ts #children': 'scopes that are open: each goes when it closes',
  'shared/platform/batchedCalls.ts #waiting':
    'entries of callers that wait for them: one for each connection, or what a poller holds',
  'functions/routes/linkVisits.ts #visits': 'a number of links',
  'functions/stream/handler.ts #keys': 'a number of keys, each for some seconds',
  'functions/stream/handler.ts #open': 'streams that are open: `mostStreams` at most',
  'functions/stream/feeds.ts #held': 'tenants that have streams here: each goes with the last of its streams',
  'shared/event/streamPlaces.ts #tenants': 'tenants that have streams here: each goes with the last of its streams',
  'functions/stream/feeds.ts #first': 'first reads of logs that are under way: each goes when it has ended',
  'functions/stream/tenantFeed.ts #waiting': 'streams that wait: each is taken away when its wait ends',
  'functions/stream/tenantFeed.ts #events': '1,000 events and 1 MB, the oldest go first',
  'functions/media/prepare/converter/opusEncoding.ts #packets': 'an hour of sound, of a process that ends with it',
  'functions/media/prepare/converter/opusEncoding.ts #frames': 'three',
  'functions/media/prepare/converter/waveform.ts #levels': 'an hour of sound, of a process that ends with it',
  'worker/facts/eventQueueChoice.ts #shards': 'shards of the stage',
  'worker/facts/eventQueueChoice.ts #connections': 'a number of connections: all are forgotten above it',
  'worker/facts/byteRoom.ts #waiting': 'one for each connection that publishes, with a deadline',
  'worker/files/connectionFiles.ts #waiting': 'files to be asked for when the connection is online: MOST_WAITING',
  'worker/actions/connectionActions.ts #running': 'actions that are being asked for: four at most',
  'worker/sending/chatHolds.ts #holds': 'chats with a parked message: others are forgotten at each look',
  'worker/sending/messageFiles.ts #asked': 'a number of files',
  'worker/sending/messagePhotos.ts #asked': 'a number of photos',
  'worker/actions/actionPictures.ts #asked': 'a number of actions',
  'shared/media/sealFile.ts #done': 'ten bytes for each 64 KB of one file, which has 2 GiB at most',
  'worker/sending/firstContactHolds.ts #held': 'chats with a parked message: others are forgotten at each look',
  'worker/sending/governor.ts #counted': 'a number of messages',
  'worker/sending/sendBudgets.ts #made': 'the kinds of budgets',
  'worker/sending/sendBudgets.ts #spent':
    'chats that were written to within a minute: others are forgotten at each look',
  'worker/commands/commandPoller.ts #deleting': 'counted among the 400 commands that the poller holds',
  'worker/commands/groupLanes.ts #lanes': 'groups that are worked: the poller holds at most 400 commands',
  'worker/commands/groupLanes.ts #running': 'one for each lane',
  'shared/platform/addressGuard.ts #pinned': 'a number of hosts, and half a minute',
  'shared/webhook/rememberedEndpoints.ts #known': 'a number of endpoints, and a second',
  'shared/webhook/rememberedEndpoints.ts #reads': 'reads that are under way, each with the deadline of its client',
  'worker/fleet/clientVersions.ts #refusedAtMs': 'client versions that were refused: a plan names three at most',
  'worker/fleet/clientVersions.ts #unwritten': 'as above, until the fleet is told',
  'worker/fleet/gate.ts #waiting': 'calls that wait for the gate, each with a deadline',
  'worker/fleet/openBudget.ts #queue': 'one for each connection that waits to open, with a deadline',
  'functions/deliver/attemptNotes.ts #waiting': 'the endpoints of a fifth of a second',
  'functions/deliver/workChain.ts attempts': 'the posts of one chain in four seconds',
  'functions/deliver/attemptNotes.ts #underWay': 'the endpoints of a fifth of a second, until their write is over',
  'functions/media/history/pastChatInHand.ts #held': 'messages of one chat: HELD_MESSAGES and HELD_BYTES',
  'worker/socket/sending/heardHistories.ts #waiting': 'requests to the phone: MOST_WAITED_FOR',
  'functions/ingest/endpointLists.ts #known': 'a number of tenants',
  'functions/ingest/peopleNotes.ts #noted': '20,000 people, those not seen for longest go first',
  'shared/event/recording/pagesInHand.ts #ids': 'events of one run, gone with it',
  'shared/event/recording/rowInHand.ts #sets': 'attributes of one row, gone with the run',
  'shared/event/recording/rowInHand.ts #marks': 'four attributes at most, gone with the run',
  'shared/event/recording/rowInHand.ts #claimed': 'four attributes at most, gone with the run',
  'shared/event/recording/rowInHand.ts #facts': 'facts of one run, gone with it',
  'shared/event/readEvents.ts events': 'one page of the API',
  'shared/platform/metrics.ts #held': 'series by their dimensions, which the catalogue closes; gone at each flush',
  'worker/fleet/shardKeeper.ts #held': 'shards of the stage',
  'worker/fleet/shardKeeper.ts #unsure': 'shards of the stage',
  'worker/fleet/shardKeeper.ts #lingering': 'shards of the stage',
  'worker/fleet/shardKeeper.ts #newest': 'shards of the stage',
  'worker/runner/connectionRunner.ts #mailbox':
    'inputs of one connection: a few for each socket and command, taken at once',
  'worker/runner/connectionRunners.ts #held':
    'connections of one shard, at most 100; a record that is gone is forgotten',
  'worker/runner/latestWrites.ts #waiting': 'one for each name of a write, and names are written in the code',
  'worker/commands/ownedShards.ts #work': 'shards of the stage',
  'worker/runner/waitingWatch.ts #oldestAtMs': 'connections of a shard, put anew at each listing',
  'worker/runner/supervisor.ts #past': 'sockets replaced in the last ten minutes; older ones are dropped at each look',
  'worker/session/keyItems.ts #cache': 'a number of bytes',
  'worker/session/keyItems.ts #changed': 'written when there are too many, and after two seconds',
  'worker/session/keyedMutex.ts #tails': 'keys with work: a key goes with its last work',
  'worker/session/session.ts #listeners': 'one for each socket on the session, removed when it closes',
  'worker/socket/repairs/keyPairStock.ts #ready': 'a number of pairs',
  'worker/socket/sending/acknowledgements.ts #waiting':
    'stanzas without an ack, each with a deadline, all gone with the socket',
  'worker/socket/signal/addressLocks.ts #held': 'locks that are held: each goes when it is given back',
  'worker/socket/people/ringingCalls.ts #calls': 'a number of calls',
  'worker/socket/people/shownPresence.ts #typing':
    'a timer for each chat, which ends within 25 seconds; the budget of the action bounds how many begin',
  'shared/event/recording/rowBeside.ts #facts': 'facts of one run, of which a batch has a number',
  'worker/socket/inbound/filters.ts #counts': 'one for each filter',
  'worker/socket/people/heardPresences.ts #waits': 'a number of entries, each gone when its wait ends',
  'worker/socket/appState/appState.ts #changed': 'the collections that are followed: four',
  'worker/socket/appState/labelBook.ts #labels': 'labels of one answer: MOST_NOTED',
  'worker/socket/appState/labelBook.ts #on': 'chats and messages of one label: MOST_LABELLED',
  'worker/socket/appState/appState.ts #requested': 'a number of keys',
  'worker/socket/appState/appState.ts #notices': 'a number of stanzas: one more is acknowledged at once',
  'worker/socket/port/fairRoom.ts #waiting': 'a number of entries for each person and for all together',
  'shared/message/newMessages.ts #noted': 'a number of connections',
  'shared/message/newMessages.ts #notedDue': 'a number of connections and windows',
  'functions/archive/nextPart.ts #lines': 'one part of an export: 8 MB, and an answer of the table',
  'functions/dispatch/handler.ts failures': 'connections with something due, gone with the run',
  'functions/dispatch/handler.ts #worked': 'connections with something due, gone with the run',
  'functions/dispatch/handler.ts #unfinished': 'connections with something due, gone with the run',
  'functions/dispatch/handler.ts #withBulkSends': 'connections with something due, gone with the run',
  'functions/routes/bulkCounts.ts #known': 'a number of bulk sends, each for some seconds',
  'shared/bulk/acceptBulkSend.ts #found': 'some hundred problems of a request, gone with its answer',
  'functions/http/strangers.ts #tries': 'a number of addresses, those not seen for longest go first',
  'shared/quota/quotaBook.ts #known': 'a number of tenants',
  'shared/quota/rateLimiter.ts #buckets': 'a number of buckets: who is forgotten loses a slice',
  'functions/routes/sendableConnections.ts #known': 'a number of connections, each for a second',
  'worker/socket/port/budgets.ts #budgets': 'a number of people',
  'worker/socket/repairs/edwardsKeys.ts kept': 'a number of keys',
  'worker/socket/port/fairTurns.ts #waiting':
    'stanzas that were received and not begun: a turn of the event loop begins some',
  'worker/socket/frameGate.ts #held':
    'inward one read of the network, as reading pauses; outward what Baileys sends until its keep-alive ends the socket',
  'worker/socket/people/groupMembers.ts #groups': 'a number of names of members',
  'worker/socket/sending/groupLookUps.ts #members': 'the members of one group',
  'worker/socket/inbound/placeholders.ts #awaited':
    'placeholders whose message may still come: seconds after the offline queue is drained',
  'worker/socket/inbound/placeholders.ts #stanzas': 'a number of stanzas',
  'worker/socket/sending/keyAnswers.ts #withoutKeys': 'a number of devices',
  'worker/socket/inbound/readReceipts.ts #waiting': 'a number of messages: the oldest are lost, and counted',
  'worker/socket/sending/recipients.ts #known': 'a number of people and a week',
  'worker/socket/signal/sessionRenewals.ts #welcomeUntilMs': 'a number of people and a minute',
  'worker/socket/signal/sessionRenewals.ts renewedAtMs': 'a number of sessions of the process',
  'worker/socket/inbound/unreadableMessages.ts #asked': 'those of the senders whose messages wait, who have room',
  'worker/socket/sending/unrecordedSends.ts #waiting': 'sends without a record, each with a deadline',
};

const FIELD = /^ {2}(?:readonly )?(#?\w+)(?:: .+?)? = (?:new (?:Map|Set|LRUCache)\b|\[\];)/gm;
const MADE_LATER = /this\.(#?\w+) \?\?= (?:new (?:Map|Set|LRUCache)\b|\[\];)/g;
const IN_MODULE =
  /^(?:export )?(?:const|let) (\w+)(?:: [^=\n]+)? = (?:new (?:Map|Set)(?:<[^\n]*>)?\(\)|new LRUCache\b|\[\])/gm;

/** Collections that begin empty and outlive a call, by file and name. */
function collectionsIn(file: string, text: string): readonly string[] {
  return [FIELD, MADE_LATER, IN_MODULE].flatMap((pattern) =>
    [...text.matchAll(pattern)].map((match) => `${file} ${match[1] ?? ''}`),
  );
}

const found = SOURCE_ROOTS.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
).flatMap((file) => collectionsIn(file, readFileSync(join(root, file), 'utf8')));

describe('collections that outlive a call', () => {
  it('each say what bounds them', () => {
    expect(found.filter((name) => !(name in bounds))).toEqual([]);
  });

  it('are still there where a bound is written down', () => {
    expect(Object.keys(bounds).filter((name) => !found.includes(name))).toEqual([]);
  });

  it.each([
    ['class A {\n  readonly #seen = new Set<string>();\n}', ['a.ts #seen']],
    ['class A {\n  #last: string[] = [];\n}', ['a.ts #last']],
    ['class A {\n  readonly #cache = new LRUCache<string, number>({ max: 5 });\n}', ['a.ts #cache']],
    ['    this.#later ??= new LRUCache({ max: 5 });', ['a.ts #later']],
    ['const known = new Map<string, number>();', ['a.ts known']],
    ['const URGENT = new Set([1, 2]);', []],
    ['function f() {\n  const seen = new Set<string>();\n}', []],
  ])('are found: %j', (text, names) => {
    expect(collectionsIn('a.ts', text)).toEqual(names);
  });
});
