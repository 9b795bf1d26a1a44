/**
 * `npm run demo`: the first conversation, from nothing. It boots an ephemeral stack, links one sandbox phone by QR and
 * one by code, exchanges ten messages each way while a worker is restarted, and counts: emoji, other scripts and a long
 * text among them. The exit code is 0 only if the counts are right and each text arrived as it was written.
 * `--dynamodb-local FOLDER` has it on Amazon's DynamoDB Local instead of our emulator.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { WhatsAppClient } from '../../test/whatsapp/client.ts';
import { makeTenant, type ApiClient } from './apiClient.ts';
import { pairSandboxPhone } from './pairing.ts';
import { startStack } from './stack.ts';
import { until } from './until.ts';
import { startWebhookReceiver } from './webhookReceiver.ts';

const SHOP = '4915100000001';
const DESK = '4915100000002';
const CUSTOMER = '4915100000003';
const NAMES = { shop: 'Shop 🛍️', desk: 'डेस्क', customer: 'Zoë 👩🏽‍🚀' } as const;
/** What people write beside plain words: each message carries one of these, both ways. */
const WORDS = [
  'is it on its way?',
  'danke 😀',
  '👩🏽‍🚀 👨‍👩‍👧‍👦 🏳️‍🌈 👍🏿',
  'मेरा ऑर्डर कहाँ है?',
  'أين طلبي؟',
  'พัสดุของฉันอยู่ที่ไหน',
  '我的包裹在哪里？𠀋',
  'long 😀 '.repeat(500),
  'ни пуха 🍀',
  'e\u0301 n\u0303 \u202eright to left\u202c',
] as const;
const MESSAGES = WORDS.length;
const PLAIN = /^[\x20-\x7e]*$/;
/** The number of characters of a text that a line shows. */
const SHOWN = 40;
/** The message before which the worker that owns the connection is restarted, with one message on its way. */
const RESTART_AT = 5;

const startedMs = performance.now();
const say = (line: string): void =>
  void process.stdout.write(`${((performance.now() - startedMs) / 1_000).toFixed(2).padStart(6)} s  ${line}\n`);

const { values } = parseArgs({ options: { 'dynamodb-local': { type: 'string' } } });
const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-demo-'));
let failure: unknown;
const stack = await startStack({
  dataDir,
  port: 0,
  live: false,
  workers: 2,
  dynamoDbLocal: values['dynamodb-local'],
  say,
  onBroken: (reason) => {
    process.stderr.write(`The stack broke. ${reason}\n`);
    process.exit(1);
  },
});
const receiver = await startWebhookReceiver();
try {
  const right = await converse();
  if (!right) failure = new Error('the totals are not right');
} catch (error) {
  failure = error;
} finally {
  await receiver.stop();
  await stack.stop();
}
if (failure === undefined) rmSync(dataDir, { recursive: true, force: true });
if (failure !== undefined)
  process.stderr.write(
    `Demo failed: ${failure instanceof Error ? failure.message : 'unknown'}\nLogs: ${dataDir}/logs\n`,
  );
process.exit(failure === undefined ? 0 : 1);

async function converse(): Promise<boolean> {
  const whatsApp = new WhatsAppClient(stack.whatsAppControlUrl ?? '');
  for (const [number, name] of [
    [SHOP, NAMES.shop],
    [DESK, NAMES.desk],
    [CUSTOMER, NAMES.customer],
  ] as const) {
    await whatsApp.addPhone(number, name);
  }
  say(`stack is up: ${stack.apiUrl}`);
  const api = await makeTenant(stack.apiUrl, stack.operatorKey, 'Demo');
  const webhook = await api.must('POST', '/v1/webhooks', { url: receiver.url });
  receiver.trust(String(webhook['secret']));
  const shop = await pairSandboxPhone(api, whatsApp, { number: SHOP, method: 'qr' });
  say('shop is linked by QR and online');
  await pairSandboxPhone(api, whatsApp, { number: DESK, method: 'code' });
  say('desk is linked by code and online');

  const accepted = await talk(api, whatsApp, shop);
  await receivedAtPhone(whatsApp, MESSAGES);
  for (const { id, fromMe } of await whatsApp.messages(CUSTOMER)) if (!fromMe) await whatsApp.read(CUSTOMER, id);
  const ofType = (type: string) =>
    receiver.events.filter((event) => event.type === type && event.connectionId === shop);
  const reached = (status: string): number =>
    new Set(
      ofType('message.status')
        .filter(({ data }) => data['status'] === status)
        .map(({ data }) => data['messageId']),
    ).size;
  await until(
    'all webhooks',
    () => [reached('read'), ofType('message.received').length],
    ([read = 0, received = 0]) => read >= MESSAGES && received >= MESSAGES,
  );
  const received = ofType('message.received').map(({ data }) => data);
  const chats = await listedChats(api, shop);
  return report(whatsApp, { reached, texts: received.map(textOf), names: received.map(nameOf), accepted, chats });
}

/** The list of chats, as a phone shows it: the name of each and its newest text, once that is the end of the conversation. */
async function listedChats(api: ApiClient, shop: string): Promise<readonly string[]> {
  const ends = [questionOf(MESSAGES), answerOf(MESSAGES)];
  const chats = await until(
    'the list of chats',
    async () => (await api.must('GET', `/v1/connections/${shop}/chats`))['data'] as readonly ListedChat[],
    (listed) => listed.length > 0 && listed.every(({ lastMessage }) => ends.includes(textOf(lastMessage))),
  );
  return chats.map(({ name = '', lastMessage }) => `${name}: ${begin(textOf(lastMessage))}`);
}

interface ListedChat {
  readonly name?: string;
  readonly lastMessage: Record<string, unknown>;
}

/** Customer and shop write to each other, while every worker is restarted. Returns the ids of the shop's messages. */
async function talk(api: ApiClient, whatsApp: WhatsAppClient, shop: string): Promise<readonly string[]> {
  const path = `/v1/connections/${shop}/messages`;
  const accepted: string[] = [];
  let restart: Promise<void> = Promise.resolve();
  for (let index = 1; index <= MESSAGES; index += 1) {
    if (index === RESTART_AT) {
      restart = restartOwner(whatsApp);
      say('--- every worker is restarted, one after the other ---');
    }
    const question = questionOf(index);
    const answer = answerOf(index);
    await whatsApp.write(CUSTOMER, SHOP, question);
    say(`customer → shop   ${begin(question)}`);
    const body = { to: `+${CUSTOMER}`, type: 'text', text: { body: answer } };
    const message = await api.must('POST', path, body, { 'idempotency-key': `demo-${index}` });
    // A client that never saw the answer sends the same request again, and nothing happens twice.
    const again = await api.must('POST', path, body, { 'idempotency-key': `demo-${index}` });
    if (again['id'] !== message['id']) throw new Error('the same Idempotency-Key gave another message');
    accepted.push(String(message['id']));
    say(`shop → customer   ${begin(answer)}   (${String(message['status'])})`);
    if (index < RESTART_AT) await receivedAtPhone(whatsApp, index);
  }
  await restart;
  return accepted;
}

function showTotals(totals: Readonly<Record<string, string | number>>): void {
  say('totals');
  for (const [name, value] of Object.entries(totals)) process.stdout.write(`          ${name.padEnd(18)} ${value}\n`);
}

interface Seen {
  readonly reached: (status: string) => number;
  readonly texts: readonly string[];
  readonly names: readonly string[];
  readonly accepted: readonly string[];
  readonly chats: readonly string[];
}

async function report(whatsApp: WhatsAppClient, seen: Seen): Promise<boolean> {
  const atPhone = (await whatsApp.messages(CUSTOMER)).filter(({ fromMe }) => !fromMe).map(({ text }) => text);
  const numbers = Array.from({ length: MESSAGES }, (_, index) => index + 1);
  const [answers, questions] = [numbers.map(answerOf), numbers.map(questionOf)];
  const lost = [
    ...answers.filter((text) => !atPhone.includes(text)),
    ...questions.filter((text) => !seen.texts.includes(text)),
  ].length;
  const isBeyondAscii = (text: string): boolean => !PLAIN.test(text);
  const beyond = [...answers, ...questions].filter(isBeyondAscii).length;
  const beyondSeen = [...atPhone, ...seen.texts].filter(isBeyondAscii).length;
  const duplicates = atPhone.length - new Set(atPhone).size + (seen.texts.length - new Set(seen.texts).size);
  const inOrder = isSame(atPhone, answers) && isSame(seen.texts, questions);
  const { overlap, undecryptable } = await whatsApp.stats();
  const totals = {
    accepted: seen.accepted.length,
    sent: seen.reached('sent'),
    delivered: seen.reached('delivered'),
    read: seen.reached('read'),
    received: seen.texts.length,
    'emoji and scripts': `${beyondSeen} of ${beyond}`,
    'name of the sender': [...new Set(seen.names)].join(', '),
    'list of chats': seen.chats.join(' · '),
    duplicates,
    lost,
    'in order': inOrder ? 'yes' : 'no',
    undecryptable,
    overlap,
    'webhook repeats': receiver.repeats(),
    'forged signatures': receiver.forged(),
  };
  showTotals(totals);
  const complete = [totals.accepted, totals.sent, totals.delivered, totals.read, totals.received].every(
    (count) => count === MESSAGES,
  );
  const isNamed = seen.names.every((name) => name === NAMES.customer);
  const isListed = seen.chats.length === 1 && seen.chats.every((chat) => chat.startsWith(`${NAMES.customer}: `));
  return (
    complete &&
    isNamed &&
    isListed &&
    beyondSeen === beyond &&
    duplicates === 0 &&
    lost === 0 &&
    inOrder &&
    overlap === 0 &&
    receiver.forged() === 0
  );
}

/** Restarts each worker in turn, so that the owner of the connection is among them. */
async function restartOwner(whatsApp: WhatsAppClient): Promise<void> {
  const before = (await whatsApp.stats()).sockets;
  for (const index of [0, 1]) await stack.replaceWorker(index, 'SIGTERM');
  await until(
    'the connections being open again',
    () => whatsApp.stats(),
    ({ sockets }) => sockets >= before + 2,
  );
}

async function receivedAtPhone(whatsApp: WhatsAppClient, count: number): Promise<void> {
  await until(
    `${count} messages at the customer's phone`,
    () => whatsApp.messages(CUSTOMER),
    (messages) => messages.filter(({ fromMe }) => !fromMe).length >= count,
    60_000,
  );
}

function begin(text: string): string {
  return text.slice(0, SHOWN).toWellFormed();
}

function questionOf(number: number): string {
  return `order ${number}: ${WORDS[number - 1] ?? ''}`.trimEnd();
}

function answerOf(number: number): string {
  return `order ${number}: yes! ${WORDS[number - 1] ?? ''}`.trimEnd();
}

function nameOf(data: Record<string, unknown>): string {
  return (data['sender'] as { readonly name?: string } | undefined)?.name ?? '';
}

function textOf(data: Record<string, unknown>): string {
  return (data['content'] as { readonly text?: { readonly body: string } }).text?.body ?? '';
}

function isSame(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((value, index) => value === right[index]);
}
