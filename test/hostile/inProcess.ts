import type { SQSClient } from '@aws-sdk/client-sqs';
import { SendMessageBatchCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { writeRandomPadMax16, type BinaryNode } from '@whiskeysockets/baileys';
import { makeIngestHandler } from '../../functions/ingest/handler.ts';
import { ChatNotes } from '../../functions/ingest/chatNotes.ts';
import { PeopleNotes } from '../../functions/ingest/peopleNotes.ts';
import { ChatStore } from '../../shared/chat/chatStore.ts';
import { ContactStore } from '../../shared/contact/contactStore.ts';
import { toTexts } from '../../shared/event/packedTexts.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { makeId } from '../../shared/kernel/id.ts';
import { systemRandom } from '../../shared/kernel/random.ts';
import { makeLogger } from '../../shared/platform/logger.ts';
import { eventQueueName, mediaQueueName } from '../../shared/platform/queues.ts';
import { makeSqsFactPublisher } from '../../worker/facts/sqsFactPublisher.ts';
import { oneEventQueue } from '../worker/facts/queueAnswers.ts';
import { toMessageFacts } from '../../worker/socket/wire/messageFacts.ts';
import { toPlaintext } from '../../worker/socket/wire/plaintext.ts';
import { aRecord } from '../functions/queueStack.ts';
import { FakeDynamoDb } from '../simulation/aws/fakeDynamoDb.ts';
import { eventsOf, type Plaintext } from './plaintexts.ts';
import { conversation } from './wire.ts';

/** What became of plaintexts on the way from the cipher to the log. */
export interface Outcome {
  readonly cases: number;
  readonly events: number;
  /** Plaintexts without an event, of which nobody need be told. */
  readonly silent: number;
  readonly neighbours: number;
  readonly faults: readonly Fault[];
}

export interface Fault {
  readonly what: string;
  readonly plaintext: Plaintext;
}

const STAGE = 'test';
/** Every so many plaintexts somebody else writes. */
const NEIGHBOUR_EVERY = 10;
const MOST_ITEM_BYTES = 400 * 1_024;
const MOST_BODY_BYTES = 1_048_576;
/** A body of the queue, seen from outside. */
// oxlint-disable-next-line no-control-regex -- these are the characters that every queue takes
const ASCII = /^[\x20-\x7e]*$/;
const ME = { phoneJid: '4915100000001@s.whatsapp.net', lid: '111@lid' } as const;

/**
 * The way of a message in one process, without sockets: what the cipher gave → the facts → safe → the queue's body → ingest →
 * the items. All of it is the product's own; queue and store are in memory, and refuse what AWS refuses.
 */
export class Passage {
  readonly #bodies: string[] = [];
  readonly #told = new Map<string, number>();
  readonly #faults: Fault[] = [];
  readonly #publisher;
  readonly #ingest;
  readonly #connection = {
    tenantId: makeId('tnt', Date.now(), systemRandom),
    connectionId: makeId('con', Date.now(), systemRandom),
    shard: 0,
    token: 1,
  };
  #now: Plaintext | undefined;
  #cases = 0;
  #silent = 0;
  #neighbours = 0;

  constructor() {
    const dynamoDb = new FakeDynamoDb();
    dynamoDb.watch(({ after }) => {
      if (after !== undefined) this.#checkItem(after);
    });
    const table = {
      send: (command: unknown) => Promise.resolve().then(() => dynamoDb.apply(command)),
    } as unknown as DynamoDBDocumentClient;
    const queue = { send: (command: unknown) => this.#take(command) } as unknown as SQSClient;
    const logger = makeLogger('worker', 'silent', { write: () => undefined });
    const nothing = (): void => undefined;
    const metrics = { count: nothing, measure: nothing, gauge: nothing };
    const common = { stage: STAGE, queue, queueUrlBase: 'https://sqs/', clock: systemClock, logger, metrics };
    let batches = 0;
    this.#publisher = makeSqsFactPublisher({
      ...common,
      gate: { assertOpen: nothing, whenOpen: () => Promise.resolve() },
      eventQueues: oneEventQueue,
      makeBatchId: () => `batch-${(batches += 1)}`,
    });
    this.#ingest = makeIngestHandler({
      ...common,
      table,
      random: systemRandom,
      endpoints: { list: () => Promise.resolve([]) },
      people: new PeopleNotes({ ...common, contacts: new ContactStore({ table, stage: STAGE }) }),
      chats: new ChatNotes({ ...common, chats: new ChatStore({ table, stage: STAGE }) }),
    });
  }

  /** Brings plaintexts through, one after the other. Nothing is thrown: what goes wrong is a fault of the plaintext. */
  async bring(plaintexts: readonly Plaintext[]): Promise<void> {
    for (const plaintext of plaintexts) {
      this.#now = plaintext;
      this.#cases += 1;
      try {
        await this.#bringOne(plaintext);
      } catch (error) {
        this.#note(error instanceof Error ? (error.stack ?? error.message) : String(error));
      }
    }
  }

  outcome(): Outcome {
    const events = [...this.#told.values()].reduce((sum, count) => sum + count, 0) - this.#neighbours;
    return {
      cases: this.#cases,
      events,
      silent: this.#silent,
      neighbours: this.#neighbours,
      faults: this.#faults,
    };
  }

  async #bringOne(plaintext: Plaintext): Promise<void> {
    const id = `F${this.#cases}`;
    const padded = plaintext.isPadded ? writeRandomPadMax16(plaintext.bytes) : plaintext.bytes;
    await this.#pass(id, '333@lid', padded);
    const count = this.#told.get(id) ?? 0;
    const gives = eventsOf(plaintext);
    if (count > (gives === 'none' ? 0 : 1)) this.#note(`it gave ${count} events`);
    if (count === 0 && gives === 'one') this.#note('it gave no event');
    if (count === 0) this.#silent += 1;
    if (this.#cases % NEIGHBOUR_EVERY === 0) {
      await this.#pass(`N${this.#cases}`, '222@lid', writeRandomPadMax16(conversation('hello')));
      if (this.#told.get(`N${this.#cases}`) !== 1) this.#note('the message of a neighbour behind it is lost');
      this.#neighbours += 1;
    }
  }

  async #pass(id: string, from: string, padded: Uint8Array): Promise<void> {
    const stanza: BinaryNode = {
      tag: 'message',
      attrs: { id, from, sender_pn: '4915100000003@s.whatsapp.net', t: String(Math.floor(Date.now() / 1_000)) },
    };
    const facts = toMessageFacts(stanza, toPlaintext(padded), ME).map(({ fact }) => fact);
    if (facts.length === 0) return;
    await this.#publisher.publish(this.#connection, facts, makeId('cor', Date.now(), systemRandom));
    for (const body of this.#bodies.splice(0)) {
      const record = aRecord(body, { group: this.#connection.connectionId });
      const { batchItemFailures } = await this.#ingest({ Records: [record] });
      if (batchItemFailures.length > 0) this.#note('ingest wants it again');
    }
  }

  /** The queue: it refuses what SQS refuses. */
  async #take(command: unknown): Promise<object> {
    if (command instanceof SendMessageBatchCommand) {
      const { QueueUrl, Entries = [] } = command.input;
      for (const { MessageBody = '' } of Entries) this.#takeBody(QueueUrl, MessageBody);
      return { Successful: Entries.map(({ Id }) => ({ Id })), $metadata: {} };
    }
    if (!(command instanceof SendMessageCommand)) throw new Error('the queue does not know this request');
    this.#takeBody(command.input.QueueUrl, command.input.MessageBody ?? '');
    return { $metadata: {} };
  }

  #takeBody(url: string | undefined, MessageBody: string): void {
    if (url === `https://sqs/${eventQueueName(STAGE)}`) this.#bodies.push(MessageBody);
    // A message may bring files, and the job of each is a line.
    else if (url !== `https://sqs/${mediaQueueName(STAGE)}`) this.#note('it went to the dead letters');
    if (!ASCII.test(MessageBody)) this.#note('the body of the queue is not ASCII');
    if (MessageBody.length > MOST_BODY_BYTES) this.#note(`the body of the queue has ${MessageBody.length} bytes`);
  }

  #checkItem(item: Readonly<Record<string, unknown>>): void {
    const { pk, sk } = item;
    const texts = toTexts(item) ?? [];
    const bytes = sizeOf(item);
    if (bytes > MOST_ITEM_BYTES) this.#note(`an item has ${bytes} bytes`);
    if (!isWellFormed([item, texts])) this.#note('an item has half a character');
    if (Buffer.byteLength(String(pk)) > 2_048 || Buffer.byteLength(String(sk)) > 1_024) this.#note('a key is too long');
    for (const text of texts) this.#countEvent(text);
  }

  #countEvent(event: string): void {
    const { type, data } = JSON.parse(event) as {
      readonly type: string;
      readonly data: { readonly stanzaId?: string };
    };
    if (type === 'message.received' && data.stanzaId !== undefined) {
      this.#told.set(data.stanzaId, (this.#told.get(data.stanzaId) ?? 0) + 1);
    }
  }

  #note(what: string): void {
    if (this.#now !== undefined) this.#faults.push({ what, plaintext: this.#now });
  }
}

/** The size as DynamoDB counts it: names and values, texts in UTF-8. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (value instanceof Uint8Array) return value.byteLength;
  if (typeof value !== 'object' || value === null) return 21;
  return Object.entries(value).reduce((sum, [name, inner]) => sum + Buffer.byteLength(name) + sizeOf(inner) + 1, 3);
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  const isOpaque = typeof value !== 'object' || value === null || value instanceof Uint8Array;
  return isOpaque || Object.values(value).every(isWellFormed);
}
