import type { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Connection } from '../../shared/connection/connection.ts';
import { readFleet } from '../../shared/fleet/fleetTable.ts';
import { resourceKinds } from '../../shared/kernel/scope.ts';
import { enqueueCommand } from '../../shared/message/command.ts';
import type { SentMessage } from '../../shared/message/message.ts';
import { makeQueueClient } from '../../shared/platform/aws.ts';
import { TalkingChild } from '../bench/childTalk.ts';
import { createQueues, startQueues } from '../emulators/queues.ts';
import { aStoreConfig } from '../emulators/storeConfig.ts';
import { WhatsAppClient } from '../whatsapp/client.ts';
import { startWhatsApp, type WhatsAppSimulator } from '../whatsapp/simulator.ts';
import { until } from '../whatsapp/until.ts';
import { startCore, type Core } from '../worker/sending/fakes.ts';
import { askedForQr, untilQr } from '../worker/pairedConnection.ts';
import { makeKeyFile } from '../worker/workerProcess.ts';
import type { EmergencyAnswers, Leftovers } from './emergency.ts';

const correlationId = 'cor-test-1' as SentMessage['correlationId'];
const CONTACT = '4915100000099';
/** Far above what the test waits for: what we leave behind does not end by itself. */
const FOR_LONG_MS = '180000';
/**
 * Baileys leaves a timer of 30 s behind each upload of pre-keys (rc14, socket.js, `uploadPreKeys`); it does nothing, and
 * nothing can end it sooner.
 */
const LEFT_BY_BAILEYS_MS = 60_000;
const PATIENCE_MS = 60_000;

describe('a worker that is released in the middle of everything', () => {
  let core: Core;
  let queues: Awaited<ReturnType<typeof startQueues>>;
  let queue: SQSClient;
  let whatsApp: WhatsAppSimulator;
  let phones: WhatsAppClient;
  let keyFile: ReturnType<typeof makeKeyFile>;
  let numbers = 4915100000000;
  const children: TalkingChild<EmergencyAnswers>[] = [];
  beforeAll(async () => {
    [core, queues, whatsApp] = await Promise.all([startCore(), startQueues(), startWhatsApp()]);
    await createQueues(queues.endpoint, 'test', 1);
    queue = makeQueueClient(aStoreConfig({ queues }));
    phones = new WhatsAppClient(whatsApp.controlUrl);
    keyFile = makeKeyFile();
    await phones.addPhone(CONTACT, 'Contact');
  });
  afterEach(async () => {
    await Promise.all(children.splice(0).map((child) => child.stop()));
    await phones.clearFaults();
  });
  afterAll(async () => {
    await Promise.all([whatsApp.stop(), queues.stop(), core.stop()]);
    keyFile.remove();
  });

  const aWorker = async () => {
    const child = TalkingChild.start<EmergencyAnswers>(new URL('emergency.ts', import.meta.url), {
      env: { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' },
    });
    children.push(child);
    const before = await child.ask('leftovers', undefined);
    await child.ask('start', {
      HOLDFAST_STAGE: 'test',
      HOLDFAST_DYNAMODB_ENDPOINT: core.endpoint,
      HOLDFAST_SQS_ENDPOINT: queues.endpoint,
      HOLDFAST_QUEUE_URL_BASE: queues.queueUrlBase,
      HOLDFAST_SHARD_COUNT: '1',
      HOLDFAST_KEY_FILE: keyFile.path,
      HOLDFAST_TASK_ID: `emergency-${numbers}`,
      HOLDFAST_HEARTBEAT_MS: '200',
      HOLDFAST_HEARTBEAT_TIMEOUT_MS: '1000',
      HOLDFAST_FENCE_MS: '4000',
      HOLDFAST_DEATH_MS: '8000',
      HOLDFAST_ORPHAN_CLAIM_MS: '1000',
      HOLDFAST_LEADER_READ_MS: '200',
      HOLDFAST_WATCH_MS: '100',
      HOLDFAST_COMMAND_WAIT_SECONDS: '2',
      HOLDFAST_OPEN_WITHIN_MS: FOR_LONG_MS,
      HOLDFAST_SERVER_ACK_TIMEOUT_MS: FOR_LONG_MS,
      BAILEYS_RECONNECT_BASE_DELAY: FOR_LONG_MS,
      WHATSAPP_URL: whatsApp.webSocketUrl,
      WHATSAPP_ROOT_KEY: whatsApp.rootKey,
    });
    return { child, before };
  };
  /** A connection whose QR text is out, and the number of a phone that may scan it. */
  const aPairingConnection = async (): Promise<{ connection: Connection; number: string; qr: string }> => {
    numbers += 1;
    const number = String(numbers);
    await phones.addPhone(number, `Phone ${number}`);
    const connection = await core.aConnection(askedForQr());
    const { tenantId, connectionId } = connection;
    await enqueueCommand(
      { queue, stage: 'test', queueUrlBase: queues.queueUrlBase },
      0,
      { version: 1, kind: 'control', tenantId, connectionId, correlationId, control: 'pair' },
      `pair-${number}`,
    );
    const qr = await untilQr({ table: core.table, stage: 'test' }, connection, PATIENCE_MS);
    return { connection, number, qr };
  };
  const isIn = async (
    child: TalkingChild<EmergencyAnswers>,
    { connectionId }: Connection,
    state: string,
  ): Promise<void> => {
    const read = async () => (await child.ask('states', undefined)).get(connectionId);
    await until(state, read, (now) => now === state, PATIENCE_MS);
  };
  const sendWithoutAck = async (connection: Connection, number: string): Promise<void> => {
    await phones.fault({ kind: 'drop_acks', number });
    const message = await core.aMessage(connection, 'without an ack', { to: `${CONTACT}@s.whatsapp.net` });
    const { tenantId, connectionId, messageId } = message;
    await enqueueCommand(
      { queue, stage: 'test', queueUrlBase: queues.queueUrlBase },
      0,
      { version: 1, kind: 'send_message', tenantId, connectionId, correlationId, messageId },
      messageId,
    );
    const shown = async () => (await phones.messages(CONTACT)).some(({ text }) => text === 'without an ack');
    await until('the message', shown, Boolean, PATIENCE_MS);
  };
  /** What is left, as soon as it is what there was before, or after all patience. */
  const leftoversOf = async (child: TalkingChild<EmergencyAnswers>, before: Leftovers): Promise<Leftovers> => {
    const read = (): Promise<Leftovers> => child.ask('leftovers', undefined);
    const isSame = (now: Leftovers): boolean => now.active.join() === before.active.join();
    return until('nothing left', read, isSame, LEFT_BY_BAILEYS_MS).catch(read);
  };
  const nothing = Object.fromEntries(resourceKinds.map((kind) => [kind, 0]));

  it('leaves no timer, listener, socket or call behind: one pairs, one opens, one backs off, one waits for an ack', async () => {
    const { child, before } = await aWorker();
    const pairing = await aPairingConnection();
    const opening = await aPairingConnection();
    const backingOff = await aPairingConnection();
    const online = await aPairingConnection();
    await phones.fault({ kind: 'no_success', number: opening.number });
    await phones.fault({ kind: 'refuse_login', number: backingOff.number, reason: 500 });
    for (const { number, qr } of [opening, backingOff, online]) await phones.scan(number, qr);
    await isIn(child, online.connection, 'online');
    await isIn(child, backingOff.connection, 'backing_off');
    await isIn(child, opening.connection, 'connecting');
    await isIn(child, pairing.connection, 'pairing');
    await sendWithoutAck(online.connection, online.number);
    const during = await child.ask('leftovers', undefined);

    await child.ask('release', undefined);
    const after = await leftoversOf(child, before);
    const { leases } = await readFleet({ table: core.table, stage: 'test' }, 1);

    expect(during.held).toMatchObject({ socket: 3 + 4 });
    expect(during.held.timer).toBeGreaterThanOrEqual(3);
    expect(during.held.listener).toBeGreaterThanOrEqual(9);
    expect(during.active.filter((name) => name === 'TCPSocketWrap').length).toBeGreaterThan(3);
    expect(after.active).toEqual(before.active);
    expect(after.listeners).toBeLessThanOrEqual(during.listeners);
    expect(after.held).toEqual(nothing);
    // This is as after a crash: others find the lease and observe its death.
    expect(leases.map(({ state }) => state)).toEqual(['ALIVE']);
    expect((await child.ask('said', undefined)).filter((what) => what.startsWith('broken'))).toEqual([]);
  });

  it('leaves nothing behind while it drains, with a send that has no ack yet', async () => {
    const { child, before } = await aWorker();
    const online = await aPairingConnection();
    await phones.scan(online.number, online.qr);
    await isIn(child, online.connection, 'online');
    await sendWithoutAck(online.connection, online.number);
    await child.ask('drain', undefined);
    const isDraining = async () => (await child.ask('said', undefined)).includes('drain started');
    // The drain waits for the send: neither can end by itself while the test lasts.
    await until('the drain', isDraining, Boolean, PATIENCE_MS);

    await child.ask('release', undefined);
    const after = await leftoversOf(child, before);

    expect(after.active).toEqual(before.active);
    expect(after.held).toEqual(nothing);
    expect((await child.ask('said', undefined)).filter((what) => what.startsWith('broken'))).toEqual([]);
  });
});
