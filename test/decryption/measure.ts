import type { WhatsAppClient } from '../whatsapp/client.ts';
import type { Clients, Received } from './clients.ts';
import { SENT_BEFORE_RESTART, type Scenario, type Size } from './scenarios.ts';

/** What came of one scenario. Everything counts from the end of the first contacts on. */
export interface Outcome {
  readonly sends: number;
  readonly messages: number;
  /** Sent by the client: messages that the contact could not read at first. */
  readonly unreadOut: number;
  /** The copies of the same messages for the account's own phone. */
  readonly unreadOwn: number;
  /** Written by contacts: messages that the client asked to repeat. */
  readonly unreadIn: number;
  readonly retryRequests: number;
  readonly keyFetches: number;
  readonly deviceQueries: number;
  /** Never shown by the contact, or never given out by the client. */
  readonly lost: number;
  /** Messages that were shown or given out twice. */
  readonly duplicates: number;
  /** Faults of the simulator itself: the row is worth nothing if there are any. */
  readonly internalErrors: readonly string[];
}

export interface Run {
  readonly clients: Clients;
  readonly whatsApp: WhatsAppClient;
  /** What the clients have given out so far. */
  readonly received: readonly Received[];
  readonly scenario: Scenario;
  readonly size: Size;
}

/** One account and the contact that it talks to, by their numbers. */
interface Pair {
  readonly account: string;
  readonly contact: string;
}

/** Nothing has changed for so long: what has not come by now is lost. */
const AT_REST_MS = 8_000;
const PAIRED_AT_ONCE = 4;

/** Runs a scenario and counts. Throws when the clients cannot be linked or started. */
export async function measure(run: Run): Promise<Outcome> {
  const { whatsApp, received, scenario, size } = run;
  const pairs = Array.from({ length: size.accounts }, (_, index) => ({
    account: `4915${String(10_000_001 + index)}`,
    contact: `4916${String(10_000_001 + index)}`,
  }));
  await meet(run, pairs);
  const before = await whatsApp.stats();
  const unreadBefore = await unreadBy(whatsApp, pairs);

  if (scenario.isAhead) await onEach(pairs, (pair) => write(run, pair, 0, size.messages));
  if (scenario.latencyMs > 0) await whatsApp.fault({ kind: 'latency', ms: scenario.latencyMs });
  await talkAndRestart(run, pairs);
  await untilAtRest(run, pairs);

  const after = await whatsApp.stats();
  const unread = await unreadBy(whatsApp, pairs);
  const shown = (await Promise.all(pairs.map(({ contact }) => whatsApp.messages(contact)))).map(
    (entries) => new Set(entries.filter(({ fromMe }) => !fromMe).map(({ text }) => text)),
  );
  const missingOut = pairs.flatMap((_, index) =>
    Array.from({ length: size.sends }, (_none, number) => sentText(number)).filter((text) => !shown[index]?.has(text)),
  );
  const given = countOf(distinctKeys(received));
  const missingIn = pairs.flatMap(({ account }) =>
    Array.from({ length: size.messages }, (_, number) => `${account}/${writtenText(number)}`).filter(
      (text) => !given.has(text),
    ),
  );
  return {
    sends: size.sends * pairs.length,
    messages: size.messages * pairs.length,
    unreadOut: unread.contacts - unreadBefore.contacts,
    unreadOwn: unread.own - unreadBefore.own,
    unreadIn: after.unreadByClients - before.unreadByClients,
    retryRequests: after.retryRequests - before.retryRequests,
    keyFetches: after.keyFetches - before.keyFetches,
    deviceQueries: after.deviceQueries - before.deviceQueries,
    lost: missingOut.length + missingIn.length,
    duplicates: after.duplicates + [...given.values()].reduce((sum, count) => sum + count - 1, 0),
    internalErrors: after.internalErrors,
  };
}

const sentText = (number: number): string => `from the account ${number}`;
const writtenText = (number: number): string => `from the contact ${number}`;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Links the accounts and lets each exchange a few words with its contact, so that both directions of a session are in use. */
async function meet({ clients, whatsApp }: Run, pairs: readonly Pair[]): Promise<void> {
  for (let from = 0; from < pairs.length; from += PAIRED_AT_ONCE) {
    await onEach(pairs.slice(from, from + PAIRED_AT_ONCE), async ({ account, contact }) => {
      await whatsApp.addPhone(account, 'Account');
      await whatsApp.addPhone(contact, 'Contact');
      await clients.pair(account);
      await clients.send(account, contact, 'hello');
      await whatsApp.write(contact, account, 'hello');
      await clients.send(account, contact, 'how are you?');
    });
  }
}

/** Lets contacts write the messages of these numbers: now, or sealed before and sent now. */
async function arrive(run: Run, pair: Pair, from: number, to: number, everyMs: number): Promise<void> {
  for (let number = from; number < to; number += 1) {
    if (run.scenario.isAhead) await run.whatsApp.release(pair.contact, 1);
    else await write(run, pair, number, 1);
    await pause(everyMs);
  }
}

async function write({ whatsApp, scenario }: Run, pair: Pair, from: number, count: number): Promise<void> {
  for (let number = from; number < from + count; number += 1) {
    const text = writtenText(number);
    if (scenario.isAhead) await whatsApp.writeAhead(pair.contact, pair.account, text);
    else await whatsApp.write(pair.contact, pair.account, text);
  }
}

/**
 * Both sides talk; the client stops, finds on its start what has queued up, and goes on. The contacts' messages are spread
 * over the sends, so that they arrive between any two of them however slow the machine is.
 */
async function talkAndRestart(run: Run, pairs: readonly Pair[]): Promise<void> {
  const { clients, scenario, size } = run;
  const { sends, sendEveryMs } = size;
  const live = size.messages - scenario.queuedWhileDown;
  const firstSends = Math.round(sends * SENT_BEFORE_RESTART);
  const firstMessages = Math.round(live * SENT_BEFORE_RESTART);
  const messagesBy = (sent: number): number => Math.round((live * sent) / sends);

  await onEach(pairs, async (pair, index) => {
    await pause((sendEveryMs * index) / pairs.length);
    for (let sent = 0; sent < firstSends; sent += 1)
      await talk(run, pair, sent, messagesBy(sent), messagesBy(sent + 1));
  });
  await clients.stop();
  const queued = firstMessages + scenario.queuedWhileDown;
  await onEach(pairs, (pair) => arrive(run, pair, firstMessages, queued, 0));
  await clients.start();
  await onEach(pairs, async (pair, index) => {
    const { queuedWhileDown, isBurst } = scenario;
    if (isBurst) {
      const numbers = Array.from({ length: sends - firstSends }, (_, number) => firstSends + number);
      const everyMs = (sendEveryMs * sends) / live;
      await Promise.all([
        ...numbers.map((number) => send(run, pair, number)),
        arrive(run, pair, queued, size.messages, everyMs),
      ]);
      return;
    }
    await pause((sendEveryMs * index) / pairs.length);
    for (let sent = firstSends; sent < sends; sent += 1) {
      await talk(run, pair, sent, queuedWhileDown + messagesBy(sent), queuedWhileDown + messagesBy(sent + 1));
    }
  });
}

/** One send, and the contact's messages until the next one. */
async function talk(run: Run, pair: Pair, sent: number, from: number, to: number): Promise<void> {
  await Promise.all([send(run, pair, sent), arrive(run, pair, from, to, run.size.sendEveryMs / (to - from))]);
}

/** A client that cannot send says so; that the message is lost is seen at the contact. */
function send({ clients }: Run, { account, contact }: Pair, number: number): Promise<void> {
  return clients.send(account, contact, sentText(number)).catch(() => undefined);
}

/** Waits until everything has come, or until nothing has changed for a while. */
async function untilAtRest({ whatsApp, received, size, scenario }: Run, pairs: readonly Pair[]): Promise<void> {
  const restMs = AT_REST_MS + 4 * scenario.latencyMs;
  let last = '';
  let changedAtMs = performance.now();
  while (performance.now() - changedAtMs < restMs) {
    const { shown, retryRequests, undecryptable, stanzas } = await whatsApp.stats();
    const waiting = (await whatsApp.phones()).flatMap(({ devices }) => devices).reduce((sum, d) => sum + d.waiting, 0);
    const atContacts = pairs.reduce((sum, { contact }) => sum + (shown[contact] ?? 0), 0);
    // Two texts of each side were said when they met.
    const hasAll =
      atContacts === (size.sends + 2) * pairs.length && countOf(received).size >= (size.messages + 1) * pairs.length;
    if (hasAll && waiting === 0 && retryRequests === 0) return;
    const now = JSON.stringify([
      atContacts,
      retryRequests,
      undecryptable,
      Object.keys(stanzas).length,
      received.length,
      waiting,
    ]);
    if (now !== last) changedAtMs = performance.now();
    last = now;
    await pause(100);
  }
}

/** Distinct messages that phones could not read: contacts' from the accounts, and accounts' own copies. */
async function unreadBy(whatsApp: WhatsAppClient, pairs: readonly Pair[]) {
  const count = async (number: string): Promise<number> =>
    new Set((await whatsApp.failures(number)).map(({ id }) => id)).size;
  const sum = async (numbers: readonly string[]): Promise<number> =>
    (await Promise.all(numbers.map(count))).reduce((total, each) => total + each, 0);
  return {
    contacts: await sum(pairs.map(({ contact }) => contact)),
    own: await sum(pairs.map(({ account }) => account)),
  };
}

/** Drops repetitions that the product drops when it records. */
function distinctKeys(received: readonly Received[]): readonly Received[] {
  const seen = new Set<string>();
  return received.filter(({ number, key }) => {
    if (key === undefined) return true;
    const isNew = !seen.has(`${number}/${key}`);
    seen.add(`${number}/${key}`);
    return isNew;
  });
}

/** How often each text of a contact was given out, by account and text. */
function countOf(received: readonly Received[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { number, text } of received) counts.set(`${number}/${text}`, (counts.get(`${number}/${text}`) ?? 0) + 1);
  return counts;
}

async function onEach(pairs: readonly Pair[], work: (pair: Pair, index: number) => Promise<void>): Promise<void> {
  await Promise.all(pairs.map(work));
}
