import * as fc from 'fast-check';
import { expect } from 'vitest';
import type { FactBatch } from '../../../shared/event/factBatch.ts';
import type { Fact } from '../../../shared/event/facts/factRows.ts';
import type { SentMessage } from '../../../shared/message/message.ts';
import { MessageStore } from '../../../shared/message/messageStore.ts';
import { toShownError } from '../../../shared/message/sendError.ts';
import { makeId, type ConnectionId, type StanzaId, type TenantId } from '../../../shared/kernel/id.ts';
import { aBatch, aMessageFact, aSentMessage } from '../../shared/event/eventStores.ts';
import { makeSeededRandom } from '../../simulation/seededRandom.ts';
import { IngestWorld, type Fate } from './ingestWorld.ts';

/** What a fact is about: one of a few messages in each direction, so that facts meet. */
const aSubject = fc.integer({ min: 0, max: 2 });
const aFactKind = fc.oneof(
  fc.record({ kind: fc.constant('received' as const), subject: fc.integer({ min: 0, max: 8 }), lid: fc.boolean() }),
  fc.record({ kind: fc.constantFrom('sent' as const, 'failed' as const), subject: aSubject }),
  fc.record({ kind: fc.constantFrom('delivered' as const, 'read' as const, 'played' as const), subject: aSubject }),
  fc.record({ kind: fc.constant('status' as const), subject: fc.integer({ min: 0, max: 3 }) }),
);
type FactKind = typeof aFactKind extends fc.Arbitrary<infer Kind> ? Kind : never;
const aFate: fc.Arbitrary<Fate> = fc.record({
  atRequest: fc.integer({ min: 1, max: 14 }),
  afterEffect: fc.boolean(),
  end: fc.constantFrom('dies', 'sleeps'),
});
const aWorld = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
  /** The batches of each connection. The first two connections are of one tenant. */
  connections: fc.array(fc.array(fc.array(aFactKind, { minLength: 1, maxLength: 7 }), { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 3,
  }),
  fates: fc.array(aFate, { maxLength: 8 }),
});

const AT_MS = Date.UTC(2026, 7, 1, 12);
const NUMBER = '4915123456789@s.whatsapp.net';
const LID = '904915123456789@lid';

interface Connection {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly sent: readonly SentMessage[];
  readonly batches: readonly (readonly FactKind[])[];
}

function toFact({ sent, connectionId }: Connection, one: FactKind, place: number): Fact {
  const message = sent[one.subject] as SentMessage;
  const atMs = AT_MS + place * 1_000;
  switch (one.kind) {
    case 'received': {
      const key = (name: string): string => `message:${name}:${one.subject}`;
      const names = one.lid
        ? {
            key: key('lid'),
            otherKeys: [key('number')],
            chat: LID,
            chatAlias: NUMBER,
            sender: LID,
            senderAlias: NUMBER,
          }
        : {
            key: key('number'),
            otherKeys: [key('lid')],
            chat: NUMBER,
            chatAlias: LID,
            sender: NUMBER,
            senderAlias: LID,
          };
      const stanzaId = `IN${one.subject}` as StanzaId;
      // A repeat arrives at another time.
      return aMessageFact({ ...names, stanzaId, atMs: AT_MS, receivedAtMs: atMs });
    }
    case 'sent':
    case 'failed': {
      const error = one.kind === 'failed' ? { error: toShownError({ code: 'refused' }) } : {};
      const { messageId } = message;
      return { kind: 'send_result', key: `result:${messageId}`, atMs, messageId, state: one.kind, ...error };
    }
    case 'status':
      return {
        kind: 'status',
        key: `status:${one.subject}`,
        atMs,
        status: 'online',
        code: 'open',
        nextAttemptAtMs: AT_MS + one.subject,
      };
    default: {
      const { stanzaId, to } = message;
      const key = `receipt:${one.kind}:${place}:${connectionId}`;
      return { kind: 'receipt', key, atMs, stanzaId, chat: to, recipient: to, state: one.kind };
    }
  }
}

const RANKS = { sending: 3, sent: 4, delivered: 5, read: 6, played: 7, failed: 100 } as const;

/** What a tenant is to be told, and the states that messages end in, by the rules alone: one fact after the other. */
function expectationOf({ batches }: Connection) {
  const told: string[] = [];
  const once = new Set<string>();
  const states = ['sending', 'sending', 'sending'] as (keyof typeof RANKS)[];
  for (const { kind, subject } of batches.flat()) {
    const state = states[subject] ?? 'sending';
    if (kind === 'received' || kind === 'status') {
      if (once.has(`${kind} ${subject}`)) continue;
      once.add(`${kind} ${subject}`);
      told.push(`${kind} ${subject}`);
    } else if (kind === 'sent' || kind === 'failed') {
      if (once.has(`result ${subject}`) || (kind === 'failed' && RANKS[state] >= RANKS.sent)) continue;
      once.add(`result ${subject}`);
      told.push(`${kind} ${subject}`);
      if (RANKS[kind] > RANKS[state]) states[subject] = kind;
    } else if (RANKS[kind] > RANKS[state]) {
      told.push(`${kind} ${subject}`);
      states[subject] = kind;
    }
  }
  return { told, states };
}

/** What the log says of a connection, in the same words. */
function wordsOf({ sent }: Connection, data: object): string {
  const { stanzaId = '', nextAttemptAt } = data as { readonly stanzaId?: string; readonly nextAttemptAt?: string };
  if ('content' in data) return `received ${stanzaId.slice(2)}`;
  if (nextAttemptAt !== undefined) return `status ${Date.parse(nextAttemptAt) - AT_MS}`;
  const { messageId, status } = data as { readonly messageId: string; readonly status: string };
  return `${status} ${sent.findIndex((message) => message.messageId === messageId)}`;
}

/** Proves, for so many worlds, that each fact is told once and in order, and that the rows say the same. */
export async function expectEachFactOnce(numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(aWorld, async ({ seed, connections: scripts, fates }) => {
      const world = new IngestWorld(seed, ['fast', 'strict']);
      const random = makeSeededRandom(seed);
      const tenants = [makeId('tnt', AT_MS, random), makeId('tnt', AT_MS, random)] as const;
      const messages = new MessageStore({ table: world.table, stage: 'test' });
      const connections = scripts.map((batches, index): Connection => {
        const ids = { tenantId: index < 2 ? tenants[0] : tenants[1], connectionId: makeId('con', AT_MS, random) };
        const sent = [0, 1, 2].map(() => aSentMessage(ids, { to: NUMBER, createdAtMs: AT_MS - 1_000 }));
        return { ...ids, sent, batches };
      });
      for (const message of connections.flatMap(({ sent }) => sent)) await messages.create(message, 0);
      for (const connection of connections) world.enqueue(batchesOf(connection));

      await world.run(fates);

      const events = (await Promise.all(tenants.map((tenantId) => world.eventsOf(tenantId)))).flat();
      expect(new Set(events.map(({ id, tenantId }) => `${tenantId} ${id}`)).size).toBe(events.length);
      for (const connection of connections) await expectAsTold(world, messages, connection, events);
      // Each event goes to the receiver as the log has it.
      expect(events.map(({ id, tenantId }) => world.delivered.get(`${tenantId} ${id}`))).toEqual(
        events.map((event) => JSON.stringify(event)),
      );
      // What stands for a chain last is queued when all that it stands for is there, in the order of the log.
      for (const { connectionId } of connections) {
        const own = events.filter((event) => event.connectionId === connectionId).map(({ id }) => id);
        expect(world.chained.get(connectionId) ?? []).toEqual(own);
      }
    }),
    { numRuns },
  );
}

function batchesOf(connection: Connection): readonly FactBatch[] {
  let place = 0;
  return connection.batches.map((facts, index) =>
    aBatch(
      connection,
      facts.map((one) => toFact(connection, one, (place += 1))),
      `${connection.connectionId}-${index}`,
    ),
  );
}

async function expectAsTold(
  world: IngestWorld,
  messages: MessageStore,
  connection: Connection,
  events: readonly { readonly connectionId: string; readonly data: object }[],
): Promise<void> {
  const { connectionId, sent } = connection;
  const { told, states } = expectationOf(connection);
  const own = events.filter((event) => event.connectionId === connectionId);
  expect(own.map(({ data }) => wordsOf(connection, data))).toEqual(told);
  const rows = await Promise.all(sent.map(({ messageId }) => messages.find(connectionId, messageId)));
  expect(rows.map((row) => row?.direction === 'out' && row.state)).toEqual(states);
  const { messages: listed } = await messages.list(connectionId, {
    before: undefined,
    limit: 50,
    nowMs: world.clock.nowMs(),
  });
  const inbound = listed
    .filter(({ direction }) => direction === 'in')
    .map(({ stanzaId }) => `received ${stanzaId.slice(2)}`);
  expect(inbound.toReversed()).toEqual(told.filter((words) => words.startsWith('received')));
}
