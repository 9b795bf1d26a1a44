import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { makeReconcileHandler } from '../../functions/reconcile/handler.ts';
import { composeStores } from '../../functions/runtime/storeComposition.ts';
import { ApiClient, makeTenant } from '../../infra/local/apiClient.ts';
import { asCaller, type Caller } from '../../infra/local/callers.ts';
import { pairSandboxPhone, waitUntilOnline } from '../../infra/local/pairing.ts';
import { queueUrlBase } from '../../infra/local/queues.ts';
import type { RunningStack } from '../../infra/local/stackOptions.ts';
import { until } from '../../infra/local/until.ts';
import type { WebhookReceiver } from '../../infra/local/webhookReceiver.ts';
import { GAP_PATIENCE_MS, type EventLogDependencies } from '../../shared/event/eventLog.ts';
import { takePlacesFor } from '../../shared/event/eventPages.ts';
import { readEvents } from '../../shared/event/readEvents.ts';
import { VETTED_VERSION } from '../../shared/fleet/whatsAppVersion.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import type { ConnectionId, TenantId } from '../../shared/kernel/id.ts';
import { FIRST_LOOK_MS } from '../../shared/message/lookAgain.ts';
import { ACCEPT_LIMIT_MS } from '../../shared/message/message.ts';
import { samples } from '../whatsapp/media/sampleFiles.ts';
import { UPLOAD_PART_BYTES } from '../../shared/media/settleUpload.ts';
import { makeDocumentClient, makeQueueClient } from '../../shared/platform/aws.ts';
import type { StoreConfig } from '../../shared/platform/storeConfig.ts';
import { aStoreConfig } from '../emulators/storeConfig.ts';
import { makeOps, type Ended } from '../ops/opsProcess.ts';
import { StreamClient } from '../functions/stream/streamClient.ts';
import type { WhatsAppClient } from '../whatsapp/client.ts';
import { exportAndErase } from './archiveScenario.ts';
import { depart } from './departure.ts';
import type { RecordedCall } from './callRecorder.ts';
import { seeFrozen } from './frozenConnection.ts';
import { recallHistory } from './recall.ts';
import type { Ledger } from './judge.ts';
import { slowRule } from '../../shared/webhook/slowEndpoint.ts';
import type { UnwillingReceiver } from './unwillingReceiver.ts';

/** A question for events that never come, so that it waits for its second. */
const WAITING = '/v1/events?types=call.received&limit=100&wait=1';

const SHOP = '4915100000001';
const DESK = '4915100000002';
const CUSTOMER = '4915100000003';

export interface Scene {
  readonly stack: RunningStack;
  readonly whatsApp: WhatsAppClient;
  readonly receiver: WebhookReceiver;
  readonly unwilling: UnwillingReceiver;
  readonly ledger: Ledger;
  readonly dataDir: string;
  /** Makes these calls be answered as by a service that is down; undefined ends it. */
  readonly refuse: (which: ((call: RecordedCall) => boolean) | undefined) => void;
  readonly say: (line: string) => void;
}

interface Tenant extends Scene {
  readonly api: ApiClient;
  readonly operator: ApiClient;
  readonly tenantId: TenantId;
  readonly ops: (...words: readonly string[]) => Promise<Ended>;
  readonly shop: string;
  readonly desk: string;
  readonly webhook: string;
  /** A webhook in strict order, whose receiver is not there. */
  readonly inOrder: string;
  /** The webhook of the receiver that answers as it is told to. */
  readonly unwillingWebhook: string;
}

/** Everything that the product does, in the order in which a tenant, their customer, an operator and fate would do it. */
export async function everything(scene: Scene): Promise<void> {
  const tenant = await signUp(scene);
  for (const [what, act] of steps) {
    scene.say(what);
    await act(tenant);
  }
}

const steps: readonly (readonly [string, (tenant: Tenant) => Promise<void>])[] = [
  ['a conversation', converse],
  ['what a tenant reads and changes', readAndChange],
  ['a tenant that is suspended', suspendGuest],
  ['streams of events', listen],
  ['a message that waits for its connection', park],
  ['messages that have a time', schedule],
  ['many messages in one request', sendMany],
  ['what a connection is asked beside sending', askForMore],
  ['people whom a connection knows', knowPeople],
  ['a message that is not acknowledged at once', linger],
  ['an event whose writer died', loseAnEvent],
  [
    'what was before the account was linked',
    (tenant) => recallHistory({ ...tenant, numbers: { shop: SHOP, customer: CUSTOMER } }),
  ],
  ['a file that comes, and one that is gone', receiveFiles],
  ['a file that is brought in parts and sent', bringAndSend],
  ['a picture that is set and looked up', showPicture],
  ['a webhook that fails, is resumed and tried', resumeDeliveries],
  ['a webhook that takes its time', deliverSlowly],
  ['webhooks that fail and are given up', failDeliveries],
  ['a message that never reaches the queue', loseBeforeTheQueue],
  ['exports, and a person who is erased', (tenant) => exportAndErase(tenant, `+${CUSTOMER}`)],
  ['what an operator does', operate],
  ['a connection that stays frozen', freeze],
  ['workers that are drained and killed', changeOwners],
  ['that tenant is resumed', resumeGuest],
  ['a tenant that is deleted', (tenant) => depart(tenant, makeDocumentClient(storesOf(tenant, 'stack')), CUSTOMER)],
  ['log-out and removal', leave],
  ['a restore', restore],
];

async function signUp(scene: Scene): Promise<Tenant> {
  const { stack, whatsApp, receiver, unwilling, dataDir } = scene;
  await whatsApp.addPhone(SHOP, 'Shop');
  await whatsApp.addPhone(DESK, 'Desk');
  await whatsApp.addPhone(CUSTOMER, 'Customer');
  const operator = new ApiClient(stack.apiUrl, stack.operatorKey);
  const tenantId = String((await operator.must('POST', '/v1/admin/tenants', { name: 'Acme' }))['id']) as TenantId;
  const key = await operator.must('POST', `/v1/admin/tenants/${tenantId}/api-keys`, {});
  const spare = await operator.must('POST', `/v1/admin/tenants/${tenantId}/api-keys`, {});
  await operator.must('DELETE', `/v1/admin/tenants/${tenantId}/api-keys/${String(spare['id'])}`);
  await operator.must('GET', `/v1/admin/tenants/${tenantId}/api-keys`);
  await operator.must('GET', '/v1/admin/tenants');
  await operator.must('GET', '/v1/admin/audit');
  const api = new ApiClient(stack.apiUrl, String(key['secret']));
  await api.must('GET', '/v1/audit');
  const webhook = await api.must('POST', '/v1/webhooks', { url: receiver.url });
  receiver.trust(String(webhook['secret']));
  const unwillingWebhook = await api.must('POST', '/v1/webhooks', { url: unwilling.url });
  const inOrder = await api.must('POST', '/v1/webhooks', { url: NOBODY, order: 'strict' });
  const run = makeOps({});
  return {
    ...scene,
    api,
    operator,
    tenantId,
    ops: (...words) => run(...words, '--data', dataDir),
    webhook: String(webhook['id']),
    unwillingWebhook: String(unwillingWebhook['id']),
    inOrder: String(inOrder['id']),
    shop: await pairSandboxPhone(api, whatsApp, { number: SHOP, method: 'qr' }),
    desk: await pairSandboxPhone(api, whatsApp, { number: DESK, method: 'code' }),
  };
}

const GUEST = 'Guest';
/** Nobody listens there. */
const NOBODY = 'http://127.0.0.1:9/events';

const aText = (text: string) => ({ to: `+${CUSTOMER}`, type: 'text', text: { body: text } });

async function send({ api, shop }: Tenant, text: string): Promise<string> {
  return String((await api.must('POST', `/v1/connections/${shop}/messages`, aText(text)))['id']);
}

async function delivered({ receiver }: Tenant, messageId: string): Promise<void> {
  const statuses = () =>
    receiver.events.filter(({ data }) => data['messageId'] === messageId).map(({ data }) => data['status']);
  await until('the delivery', statuses, (found) => found.includes('delivered'));
}

async function converse(tenant: Tenant): Promise<void> {
  const { whatsApp, receiver } = tenant;
  await delivered(tenant, await send(tenant, 'hello'));
  const [message] = await whatsApp.messages(CUSTOMER);
  await whatsApp.read(CUSTOMER, message?.id ?? '');
  await whatsApp.write(CUSTOMER, SHOP, 'hello yourself');
  await until(
    'the answer',
    () => receiver.events.map(({ type }) => type),
    (types) => types.includes('message.received'),
  );
}

async function readAndChange({ api, shop, desk, stack, inOrder }: Tenant): Promise<void> {
  const path = `/v1/connections/${shop}`;
  const list = await api.must('GET', `${path}/messages`);
  const [message] = list['data'] as readonly { readonly id: string }[];
  await api.must('GET', `${path}/messages/${message?.id}`);
  for (const read of [
    '/v1/connections',
    path,
    `${path}/history`,
    '/v1/events',
    WAITING,
    '/v1/webhooks',
    '/health/ready',
  ]) {
    await api.must('GET', read);
  }
  const events = await api.must('GET', '/v1/events?limit=1');
  const [event] = events['data'] as readonly { readonly id: string }[];
  const hooks = await api.must('GET', '/v1/webhooks');
  const [hook] = hooks['data'] as readonly { readonly id: string }[];
  await api.must('POST', `/v1/webhooks/${hook?.id}/replay`, { eventIds: [event?.id] });
  await api.must('POST', `/v1/webhooks/${inOrder}/replay`, { since: '2020-01-01T00:00:00Z' });
  await api.must('PATCH', path, { label: 'The shop' });
  await api.must('POST', `${path}/restart`);
  await waitUntilOnline(api, shop);
  await api.must('POST', `/v1/connections/${desk}/stop`);
  const statusOf = async () => (await api.must('GET', `/v1/connections/${desk}`))['status'];
  await until('the desk being off', statusOf, (status) => (status as { readonly status: string }).status === 'off');
  await api.must('POST', `/v1/connections/${desk}/start`);
  await waitUntilOnline(api, desk);
  await api.call('GET', '/v1/connections/con_nobody');
  await new ApiClient(stack.apiUrl, 'hf_tenant_nobody').call('GET', '/v1/connections');
  const spare = await api.must('POST', '/v1/webhooks', { url: NOBODY });
  await api.must('DELETE', `/v1/webhooks/${String(spare['id'])}`);
}

/** One stream is opened with the key, and one with a ticket; both are told something, and end with their clients. */
async function listen(tenant: Tenant): Promise<void> {
  const { api, stack } = tenant;
  const ticket = await api.must('POST', '/v1/events/stream-tickets', {});
  const clients = await Promise.all([
    StreamClient.open(`${stack.apiUrl}/v1/events/stream?from=oldest`, { authorization: `Bearer ${api.key}` }),
    StreamClient.open(`${stack.apiUrl}${String(ticket['url'])}`),
  ]);
  await send(tenant, 'listen');
  for (const client of clients) {
    await until(
      'an event in the stream',
      () => client.events.length,
      (count) => count > 0,
    );
    await client.cut();
  }
}

/** A file is fetched and read; another one is given by the phone, and one is gone, and is asked for again. */
async function receiveFiles({ api, whatsApp, receiver, shop, stack }: Tenant): Promise<void> {
  const noise = { bytes: 5_000, seed: 1 };
  const endOf = async (stanzaId: string): Promise<Readonly<Record<string, unknown>>> => {
    const find = (types: readonly string[], name: string, value: unknown) =>
      receiver.events.find(({ type, data }) => types.includes(type) && data[name] === value)?.data;
    const came = () => find(['message.received'], 'stanzaId', stanzaId);
    const message = await until('the message with the file', came, (data) => data !== undefined);
    const ended = () => find(['media.ready', 'media.failed'], 'messageId', message?.['messageId']);
    const told = await until('the end of the file', ended, (data) => data !== undefined);
    await api.must('GET', `/v1/connections/${shop}/messages/${String(message?.['messageId'])}`);
    return told?.['media'] as Readonly<Record<string, unknown>>;
  };
  const file = await endOf(await whatsApp.files.send(CUSTOMER, SHOP, { kind: 'image', noise }));
  const answer = await fetch(`${stack.apiUrl}/v1/media/${String(file['id'])}`, {
    headers: { authorization: `Bearer ${api.key}` },
  });
  if (!answer.ok) throw new Error(`the file could not be read: ${answer.status}`);
  await answer.arrayBuffer();
  await api.must('DELETE', `/v1/media/${String(file['id'])}`);
  // The phone of the account gives one that WhatsApp does not have, and does not have another one.
  await whatsApp.fault({ kind: 'media_refuse', on: 'download', status: 410, times: 1 });
  const again = await endOf(await whatsApp.files.send(CUSTOMER, SHOP, { kind: 'image', noise: { ...noise, seed: 2 } }));
  if (again['state'] !== 'ready') throw new Error('the phone did not give the file');
  const gone = await endOf(await whatsApp.files.send(CUSTOMER, SHOP, { kind: 'image', noise, spoil: 'gone' }));
  await api.must('POST', `/v1/media/${String(gone['id'])}/fetch`);
}

async function bringAndSend(tenant: Tenant): Promise<void> {
  const { api, shop } = tenant;
  const brought = await api.must('POST', '/v1/media', { bytes: UPLOAD_PART_BYTES + 1, filename: 'large.bin' });
  const { parts } = brought['upload'] as {
    readonly parts: readonly { readonly url: string; readonly bytes: number }[];
  };
  for (const { url, bytes } of parts) {
    const { status } = await fetch(url, { method: 'PUT', body: Buffer.alloc(bytes, 'x') });
    if (status !== 200) throw new Error(`a part was not taken: ${status}`);
  }
  const document = { id: brought['id'], convert: false };
  const message = { to: `+${CUSTOMER}`, type: 'document', document };
  await delivered(tenant, String((await api.must('POST', `/v1/connections/${shop}/messages`, message))['id']));
  // A short file goes at once. Both are deleted, with what was made of them.
  await api.must('PATCH', '/v1/tenant', { fileDays: 30 });
  const short = await api.must('POST', '/v1/media', { bytes: 10 });
  await fetch((short['upload'] as { readonly url: string }).url, { method: 'PUT', body: Buffer.alloc(10, 'x') });
  await api.must('POST', `/v1/media/${String(short['id'])}/complete`);
  const kept = await api.must('GET', '/v1/tenant');
  for (const { id } of [brought, short]) await api.must('DELETE', `/v1/media/${String(id)}`);
  const filesOf = ({ files }: Readonly<Record<string, unknown>>) => (files as { readonly count: number }).count;
  await until(
    'the files to be removed',
    () => api.must('GET', '/v1/tenant'),
    (now) => filesOf(now) === filesOf(kept) - 2,
  );
}

/** The account gets a picture, which is then looked up as that of anybody. */
async function showPicture({ api, shop }: Tenant): Promise<void> {
  const png = Buffer.from(samples.smallPng, 'base64');
  const file = await api.must('POST', '/v1/media', { bytes: png.length });
  await fetch((file['upload'] as { readonly url: string }).url, { method: 'PUT', body: png });
  const ended = async (action: Readonly<Record<string, unknown>>) => {
    const path = `/v1/actions/${String(action['id'])}`;
    const now = await until(
      'the picture',
      () => api.must('GET', path),
      ({ state }) => state !== 'accepted' && state !== 'running',
    );
    if (now['state'] !== 'succeeded') throw new Error(`an action has ${String(now['state'])}`);
  };
  await ended(await api.must('POST', `/v1/connections/${shop}/profile/picture`, { id: file['id'] }));
  await ended(await api.must('POST', `/v1/connections/${shop}/chats/${encodeURIComponent(`+${SHOP}`)}/picture`, {}));
  await api.must('DELETE', `/v1/media/${String(file['id'])}`);
}

/** A bulk send is paused and ends, and one is cancelled whose messages wait for a connection that is off. */
async function sendMany(tenant: Tenant): Promise<void> {
  const { api, shop, desk } = tenant;
  const headers = { 'content-type': 'application/x-ndjson' };
  const ask = async (connection: string, count: number, query = ''): Promise<string> => {
    const lines = Array.from({ length: count }, (_, line) => JSON.stringify(aText(`line ${line}`)));
    const path = `/v1/connections/${connection}/bulk-sends`;
    const { id } = await api.must('POST', `${path}${query}`, lines.join('\n'), {
      ...headers,
      'idempotency-key': `bulk-${connection}-${count}`,
    });
    await api.must('GET', path);
    return `${path}/${String(id)}`;
  };
  const waitFor = (path: string, fits: (bulk: Readonly<Record<string, unknown>>) => boolean) =>
    until('the bulk send', () => api.must('GET', path), fits);
  const later = await ask(shop, 2, `?not_before=${new Date(Date.now() + 86_400_000).toISOString()}`);
  await api.must('GET', `${later}/messages`);
  await api.must('DELETE', later);
  const sent = await ask(shop, 30);
  await api.must('POST', `${sent}/pause`);
  await api.must('POST', `${sent}/resume`);
  await waitFor(sent, ({ status }) => status === 'finished');
  await api.must('GET', `${sent}/messages`);
  await api.must('POST', `/v1/connections/${desk}/stop`);
  const waiting = await ask(desk, 3);
  const countOf = (bulk: Readonly<Record<string, unknown>>, state: string): unknown =>
    (bulk['counts'] as Readonly<Record<string, unknown>>)[state];
  await waitFor(waiting, (bulk) => countOf(bulk, 'parked') === 3);
  await api.must('GET', `${waiting}/messages`);
  await api.must('DELETE', waiting);
  await waitFor(waiting, (bulk) => bulk['endedAt'] !== undefined && countOf(bulk, 'cancelled') === 3);
  await api.must('POST', `/v1/connections/${desk}/start`);
  await waitUntilOnline(api, desk);
}

/** A message is sent at its time, one is moved and cancelled, and one ends while its connection is off. */
async function schedule(tenant: Tenant): Promise<void> {
  const { api, shop, desk } = tenant;
  const path = `/v1/connections/${shop}`;
  const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1_000).toISOString();
  const ask = async (connection: string, text: string, times: Readonly<Record<string, string>>): Promise<string> => {
    const request = { ...aText(text), ...times };
    return String((await api.must('POST', `/v1/connections/${connection}/messages`, request))['id']);
  };
  const soon = await ask(shop, 'at its time', { not_before: inSeconds(3) });
  const later = await ask(shop, 'tomorrow', { not_before: inSeconds(3_600) });
  await api.must('GET', `${path}/scheduled-messages`);
  await api.must('PATCH', `${path}/messages/${later}`, { not_before: inSeconds(7_200) });
  await api.must('DELETE', `${path}/messages/${later}`);
  await delivered(tenant, soon);
  await api.must('POST', `/v1/connections/${desk}/stop`);
  const stale = await ask(desk, 'a code', { expires_at: inSeconds(4) });
  const state = async () => (await api.must('GET', `/v1/connections/${desk}/messages/${stale}`))['status'];
  await until('the message being too late', state, (found) => found === 'expired');
  await api.must('POST', `/v1/connections/${desk}/start`);
  await waitUntilOnline(api, desk);
}

async function park(tenant: Tenant): Promise<void> {
  const { whatsApp, api, shop } = tenant;
  await whatsApp.fault({ kind: 'no_upgrade' });
  await whatsApp.strike({ kind: 'close', number: SHOP });
  const message = await send(tenant, 'for later');
  const state = async () => (await api.must('GET', `/v1/connections/${shop}/messages/${message}`))['status'];
  await until('the message waiting', state, (found) => found === 'parked');
  await whatsApp.clearFaults();
  await delivered(tenant, message);
}

async function askForMore(tenant: Tenant): Promise<void> {
  const { api, shop, whatsApp } = tenant;
  const asked = await api.must(
    'POST',
    `/v1/connections/${shop}/contacts/check`,
    { contacts: [`+${CUSTOMER}`] },
    { 'idempotency-key': 'who', prefer: 'wait=10' },
  );
  const state = async () => (await api.must('GET', `/v1/actions/${String(asked['id'])}`))['state'];
  await until('the answer of WhatsApp', state, (found) => found === 'succeeded');
  await api.must('GET', `/v1/connections/${shop}/actions`);
  await whatsApp.write(CUSTOMER, SHOP, 'to be read');
  const received = async () => {
    const { data } = await api.must('GET', `/v1/connections/${shop}/messages`);
    return (data as readonly { readonly id: string; readonly direction: string }[]).find(
      ({ direction }) => direction === 'in',
    );
  };
  const message = await until('a message', received, Boolean);
  await api.must('POST', `/v1/connections/${shop}/messages/${message?.id ?? ''}/read`, {}, { prefer: 'wait=20' });
}

/** The customer is known, and has another name from now on. */
async function knowPeople({ api, shop, whatsApp, receiver }: Tenant): Promise<void> {
  const contacts = `/v1/connections/${shop}/contacts`;
  const customer = await api.must('GET', `${contacts}/${encodeURIComponent(`+${CUSTOMER}`)}`);
  await api.must('GET', `/v1/connections/${shop}/chats`);
  await api.must('GET', `${contacts}?search=customer`);
  await api.must('GET', `${contacts}?search=${CUSTOMER}`);
  const plaintext = Buffer.from('0a026869', 'hex').toString('base64');
  await whatsApp.raw(CUSTOMER, { to: SHOP, plaintext, attrs: { notify: 'Customer & Sons' } });
  const told = () => receiver.events.find(({ type }) => type === 'contact.updated');
  const event = await until('the new name', async () => told(), Boolean);
  const isTheirs = JSON.stringify(event?.data['contact']).includes(String(customer['id']));
  if (!isTheirs) throw new Error('the new name is told of somebody else');
}

/** Long enough that its command must be kept hidden from others. */
async function linger(tenant: Tenant): Promise<void> {
  const { whatsApp, ledger } = tenant;
  await whatsApp.fault({ kind: 'drop_acks', number: SHOP, times: 1 });
  await delivered(tenant, await send(tenant, 'slowly'));
  await until('its command being held', () => ledger.hasUsed('worker sqs:ChangeMessageVisibility commands'), Boolean);
}

async function loseAnEvent(tenant: Tenant): Promise<void> {
  const { tenantId, ledger } = tenant;
  const log = (caller: Caller, laterMs: number) => ({
    table: makeDocumentClient(storesOf(tenant, caller)),
    stage: tenant.stack.stage,
    clock: { ...systemClock, nowMs: () => systemClock.nowMs() + laterMs },
  });
  // Each that reads the log settles a gap that it meets.
  for (const reader of ['api', 'stream'] as const) {
    await takePlacesFor(log('ingest', 0), tenantId, tenant.shop as ConnectionId, 1);
    await delivered(tenant, await send(tenant, `after the gap for ${reader}`));
    await readAll(log(reader, 2 * GAP_PATIENCE_MS), tenantId);
    if (!ledger.hasUsed(`${reader} dynamodb:PutItem core EVENTS#*`)) throw new Error('the gap was not closed');
  }
}

async function readAll(log: EventLogDependencies, tenantId: TenantId): Promise<void> {
  for (let after: string | undefined; ;) {
    const { next, hasMore } = await readEvents(log, tenantId, after, 100);
    if (!hasMore) return;
    after = next;
  }
}

/** The settings of a caller's clients. */
function storesOf({ stack }: Pick<Scene, 'stack'>, caller: Caller): StoreConfig {
  const emulators = {
    dynamoDb: { endpoint: stack.dynamoDbEndpoint },
    queues: { endpoint: stack.sqsEndpoint, queueUrlBase: queueUrlBase(stack.sqsEndpoint) },
  };
  return asCaller(aStoreConfig(emulators, { stage: stack.stage }), caller);
}

/** How often the deliveries that wait are looked for after a failure, and how long after each other, in milliseconds. */
const LOOKS_AFTER_FAILURE = 20;
const LOOK_EVERY_MS = 100;

async function resumeDeliveries(tenant: Tenant): Promise<void> {
  const { unwilling, api, unwillingWebhook } = tenant;
  const resume = async (): Promise<unknown> =>
    (await api.must('POST', `/v1/webhooks/${unwillingWebhook}/resume`, {}))['released'];
  // A failure is written down after it was answered. What is resumed before that goes out by itself, and another one has to fail.
  await until(
    'what waits being sent out',
    async () => {
      const before = unwilling.asked();
      unwilling.answerWith(500);
      await delivered(tenant, await send(tenant, 'to one that fails'));
      await until('a delivery that failed', unwilling.asked, (asked) => asked > before);
      unwilling.answerWith(200);
      for (let look = 0; look < LOOKS_AFTER_FAILURE; look += 1) {
        if (Number(await resume()) > 0) return true;
        await systemClock.sleep(LOOK_EVERY_MS);
      }
      return false;
    },
    (isReleased) => isReleased,
    120_000,
  );
  const trial = await api.must('POST', `/v1/webhooks/${unwillingWebhook}/test`, {});
  if (trial['outcome'] !== 'delivered')
    throw new Error(`the webhook that is back answered ${String(trial['outcome'])}`);
}

async function deliverSlowly(tenant: Tenant): Promise<void> {
  const { unwilling, ledger, api, unwillingWebhook } = tenant;
  const uses = (action: string): boolean => ledger.hasUsed(`deliver sqs:${action} slowDeliveries`);
  unwilling.answerWith(200, slowRule.afterMs * 1.5);
  await until(
    'a delivery that goes on in the queue of slow ones',
    async () => {
      await delivered(tenant, await send(tenant, 'to one that takes its time'));
      return uses('DeleteMessage');
    },
    Boolean,
  );
  unwilling.answerWith(500, slowRule.afterMs * 1.5);
  await delivered(tenant, await send(tenant, 'to one that takes its time, and fails'));
  await until('a delivery that waits there', () => uses('ChangeMessageVisibility'), Boolean);
  unwilling.answerWith(200);
  // The failures of this scene must not open the breaker together with those of the next one.
  await api.must('POST', `/v1/webhooks/${unwillingWebhook}/resume`, {});
}

async function failDeliveries(tenant: Tenant): Promise<void> {
  const { unwilling, ledger, api } = tenant;
  await until('a delivery that failed', unwilling.asked, (asked) => asked > 0);
  unwilling.answerWith(503);
  await delivered(tenant, await send(tenant, 'to one that is closed for a while'));
  await until('a delivery put aside', () => ledger.hasUsed('deliver dynamodb:PutItem core RETRY#*'), Boolean);
  unwilling.answerWith(410);
  await delivered(tenant, await send(tenant, 'to nobody'));
  await until(
    'the endpoint being given up',
    async () => (await api.must('GET', '/v1/webhooks'))['data'] as readonly { readonly state: string }[],
    (endpoints) => endpoints.some(({ state }) => state !== 'active'),
  );
  await until('its record', () => ledger.hasUsed('deliver dynamodb:PutItem core ENDPOINT#*'), Boolean);
}

async function loseBeforeTheQueue(tenant: Tenant): Promise<void> {
  const { refuse, api, shop } = tenant;
  refuse(({ caller, target }) => caller === 'api' && target === 'AmazonSQS.SendMessage');
  const { status } = await api.call('POST', `/v1/connections/${shop}/messages`, aText('lost on the way'));
  refuse(undefined);
  if (status !== 503) throw new Error(`a message that was not queued was answered with ${status}`);
  const parts = composeStores(storesOf(tenant, 'reconcile'), 'reconcile');
  // The function runs as its schedule has it each minute: now, when it is too early, again when the time is over, and an hour
  // later, when it looks whether the message has ended.
  const overMs = ACCEPT_LIMIT_MS + 8 * 60_000;
  for (const laterMs of [0, overMs, overMs + FIRST_LOOK_MS + 8 * 60_000]) {
    const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + laterMs };
    await makeReconcileHandler({ ...parts, clock })();
  }
  // The queue's clock has not moved, so the question is no later than the message, and the worker takes it for its command.
  await until(
    'the message that reconcile asked about',
    async () => (await api.must('GET', `/v1/connections/${shop}/messages`))['data'] as Record<string, unknown>[],
    (messages) =>
      messages.some(
        ({ content, status }) => JSON.stringify(content).includes('lost on the way') && status !== 'queued',
      ),
  );
}

async function freeze(tenant: Tenant): Promise<void> {
  const { stack, operator, ledger } = tenant;
  const wanted = ['watchdog sqs:SendMessage commands', 'watchdog dynamodb:UpdateItem fleet LEASE#*'];
  await seeFrozen(
    stack.stage,
    operator,
    (caller) => storesOf(tenant, caller),
    () => wanted.every((name) => ledger.hasUsed(name)),
  );
}

async function operate(tenant: Tenant): Promise<void> {
  const { ops, operator, receiver } = tenant;
  await operator.must('GET', '/v1/admin/fleet');
  await operator.must('GET', '/health/detailed');
  await operator.must('PUT', '/v1/admin/whatsapp-version', { version: VETTED_VERSION });
  await putLetters(tenant, 'api');
  const { data } = await operator.must('GET', '/v1/admin/dead-letters');
  const ids = (data as readonly { readonly id: string }[]).map(({ id }) => id);
  await operator.must('POST', '/v1/admin/dead-letters/redrive', { ids });
  await putLetters(tenant, 'ops');
  const before = receiver.repeats();
  for (const command of [
    'status',
    'health',
    'report',
    'dead-letters',
    'redrive',
    'scale',
    'version',
    'create-operator-key',
  ]) {
    const { code, stderr } = await ops(command);
    if (code !== 0 && command !== 'health') throw new Error(`ops ${command}: ${stderr}`);
  }
  await operator.must('POST', '/v1/admin/dead-letters/discard', { all: true, queue: 'commands' });
  await until('the event again', receiver.repeats, (count) => count > before);
}

/** Puts a letter of each kind where dead letters are, and one that nobody can read. */
async function putLetters(tenant: Tenant, turn: string): Promise<void> {
  const { stack, tenantId, webhook, shop, receiver } = tenant;
  const queue = makeQueueClient(storesOf(tenant, 'stack'));
  const [event] = receiver.events;
  const common = { version: 1, tenantId, correlationId: 'cor-letter' };
  const letters = {
    'command-dead.fifo': [{ ...common, connectionId: shop, kind: 'control', control: 'refresh' }, 'illegible'],
    'events-dead.fifo': [{ version: 1, events: [] }],
    'deliveries-dead': [{ ...common, endpointId: webhook, eventId: event?.id, deliveryId: 'dlv_letter' }],
    'media-dead': [{ version: 1, tenantId, mediaId: 'med_letter' }],
  };
  for (const [name, bodies] of Object.entries(letters)) {
    for (const [index, body] of bodies.entries()) {
      const ordered = { MessageGroupId: `letters-${index}`, MessageDeduplicationId: `${turn}-${index}` };
      await queue.send(
        new SendMessageCommand({
          QueueUrl: `${queueUrlBase(stack.sqsEndpoint)}${stack.stage}-${name}`,
          MessageBody: JSON.stringify(body),
          ...(name.endsWith('.fifo') ? ordered : {}),
        }),
      );
    }
  }
  queue.destroy();
}

async function changeOwners(tenant: Tenant): Promise<void> {
  const { stack, ops, api, shop } = tenant;
  const [first] = stack.workers();
  const { code, stderr } = await ops('drain', first?.workerId ?? '', '--wait');
  if (code !== 0) throw new Error(`ops drain: ${stderr}`);
  await until(
    'its successor',
    () => stack.workers().length,
    (count) => count === 2,
  );
  await stack.replaceWorker(0, 'SIGKILL');
  // Nobody tells of this one: the others must see it themselves.
  stack.reportStops(1, false);
  await stack.replaceWorker(1, 'SIGKILL');
  await waitUntilOnline(api, shop);
  await delivered(tenant, await send(tenant, 'after the storm'));
}

/** Another tenant, with a connection that is wanted and a webhook. */
async function suspendGuest({ operator, stack }: Tenant): Promise<void> {
  const api = await makeTenant(stack.apiUrl, stack.operatorKey, GUEST);
  await api.must('POST', '/v1/webhooks', { url: NOBODY });
  await api.must('POST', '/v1/connections', {});
  const { id } = await api.must('GET', '/v1/tenant');
  await operator.must('POST', `/v1/admin/tenants/${String(id)}/suspend`, { reason: 'Only a guest.' });
}

async function resumeGuest({ operator, ledger }: Tenant): Promise<void> {
  const uses = (what: string) => (): boolean => ledger.hasUsed(`reconcile dynamodb:${what}`);
  await until('the end of the suspension', uses('DeleteItem core TENANT_WORK'), Boolean, 180_000);
  const { data } = await operator.must('GET', '/v1/admin/tenants');
  const guest = (data as readonly { readonly id: string; readonly name: string }[]).find(({ name }) => name === GUEST);
  await operator.must('POST', `/v1/admin/tenants/${String(guest?.id)}/resume`);
  await until('a look at its webhook', uses('Query core ENDPOINT#*'), Boolean, 180_000);
}

async function leave({ api, receiver, whatsApp, desk, shop, ledger }: Tenant): Promise<void> {
  await waitUntilOnline(api, desk);
  await whatsApp.files.send(CUSTOMER, DESK, { kind: 'image', noise: { bytes: 4_000, seed: 9 } });
  const cameTo = () => receiver.events.find((event) => event.type === 'media.ready' && event.connectionId === desk);
  const came = await until('the file of the desk', cameTo, (event) => event !== undefined);
  const { id: mediaId = '' } = (came?.data['media'] ?? {}) as { readonly id?: string };
  await api.must('POST', `/v1/connections/${desk}/logout`);
  const devicesOf = async (number: string) =>
    (await whatsApp.phones()).find((phone) => phone.number === number)?.devices.length;
  await until(
    'the desk being unlinked',
    () => devicesOf(DESK),
    (devices) => devices === 0,
  );
  await api.must('DELETE', `/v1/connections/${desk}`);
  await until(
    'the record being gone',
    async () => (await api.must('GET', '/v1/connections'))['data'] as readonly { readonly id: string }[],
    (connections) => connections.every(({ id }) => id !== desk),
  );
  await until(
    'its file being gone',
    () => api.must('GET', `/v1/media/${mediaId}/info`),
    ({ state }) => state === 'gone',
  );
  const uses = (what: string) => (): boolean => ledger.hasUsed(`dispatch dynamodb:${what}`);
  await until('its rows going', uses('UpdateItem core ERASURES'), Boolean, 180_000);
  for (const kind of ['HISTORY', 'CHATS', 'CONTACTS']) {
    await until(`its rows of ${kind} going`, uses(`DeleteItem core ${kind}#*`), Boolean, 180_000);
  }
  await waitUntilOnline(api, shop);
}

async function restore({ stack, ops }: Tenant): Promise<void> {
  for (const { index } of stack.workers()) await stack.removeWorker(index, 'SIGTERM');
  const { code, stderr } = await ops('restore');
  if (code !== 0) throw new Error(`ops restore: ${stderr}`);
}
