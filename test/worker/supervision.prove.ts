import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Connection } from '../../shared/connection/connection.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { silenceConsole } from '../whatsapp/silenceConsole.ts';
import { until } from '../whatsapp/until.ts';
import { CONTACT, OWN, SupervisedWorker } from './supervisedWorker.ts';

silenceConsole();
const TEST_MS = 90_000;
/** Longer than every limit of the supervisor for an open socket in these tests. */
const PAST_ALL_LIMITS_MS = 7_000;

describe('a connection that is open in name only, with the deadlines inside its socket put off for ever', () => {
  let worker: SupervisedWorker;
  let connection: Connection;
  let before: { readonly opens: number; readonly history: number; readonly received: number; readonly shown: number };
  beforeAll(async () => {
    worker = await SupervisedWorker.start();
    connection = await worker.aConnection();
  }, TEST_MS);
  beforeEach(async () => {
    await worker.online(connection);
    before = {
      opens: worker.opens,
      history: (await worker.history(connection.connectionId)).length,
      received: worker.received().length,
      shown: (await worker.shown()).length,
    };
  });
  afterAll(() => worker.stop());

  const since = async (): Promise<readonly string[]> =>
    (await worker.history(connection.connectionId)).slice(before.history);
  const received = (): readonly string[] => worker.received().slice(before.received);
  const backOnline = async (): Promise<void> => {
    await until('back online', since, (history) => history.at(-1) === 'online/open');
  };

  it(
    'is heard of, and opened again, when WhatsApp is silent although the network holds',
    async () => {
      await worker.phones.strike({ kind: 'go_silent', number: OWN });
      await worker.phones.write(CONTACT, OWN, 'while it is silent');

      await worker.shows(connection, 'reconnecting/silent_server');
      await backOnline();
      await until('the message', received, (texts) => texts.length > 0);

      expect(await since()).toEqual(['reconnecting/silent_server', 'online/open']);
      expect(received()).toEqual(['while it is silent']);
      expect(worker.opens - before.opens).toBe(1);
    },
    TEST_MS,
  );

  it(
    'is heard of, and opened again, when WhatsApp never says that the login succeeded',
    async () => {
      await worker.phones.fault({ kind: 'no_success', number: OWN, times: 1 });
      await worker.phones.strike({ kind: 'close', number: OWN });
      await worker.phones.write(CONTACT, OWN, 'while it logs in');

      await worker.shows(connection, 'reconnecting/never_success');
      await backOnline();
      await until('the message', received, (texts) => texts.length > 0);

      expect(await since()).toEqual(['reconnecting/network_lost', 'reconnecting/never_success', 'online/open']);
      expect(received()).toEqual(['while it logs in']);
    },
    TEST_MS,
  );

  it(
    'is heard of, and opened again, when WhatsApp acknowledges nothing that is sent',
    async () => {
      await worker.phones.fault({ kind: 'drop_acks', number: OWN });

      const message = await worker.send(connection, 'without an ack');
      await worker.shows(connection, 'reconnecting/sends_stuck');
      await worker.phones.clearFaults();
      await backOnline();
      await worker.sent(message);
      const after = await worker.send(connection, 'with an ack');
      await worker.sent(after);

      expect((await since()).slice(0, 2)).toEqual(['reconnecting/sends_stuck', 'online/open']);
      expect((await worker.shown()).slice(before.shown)).toEqual(['without an ack', 'with an ack']);
    },
    TEST_MS,
  );

  it(
    'is heard of, and opened again, when it hears and does not handle: nothing is lost or doubled',
    async () => {
      const hanging = Promise.withResolvers<void>();
      worker.beforePublish = () => hanging.promise;
      await worker.phones.write(CONTACT, OWN, 'one');
      await worker.phones.write(CONTACT, OWN, 'two');

      await worker.shows(connection, 'reconnecting/deaf');
      worker.beforePublish = async () => undefined;
      await backOnline();
      await until('both messages', received, (texts) => texts.length > 1);
      await worker.phones.write(CONTACT, OWN, 'three');
      await until('the third', received, (texts) => texts.length > 2);

      expect(await since()).toEqual(['reconnecting/deaf', 'online/open']);
      expect(received()).toEqual(['one', 'two', 'three']);
      expect(await worker.phones.stats()).toMatchObject({ overlap: 0, replaced: 0, undecryptable: 0 });
    },
    TEST_MS,
  );

  it(
    'is left alone while it is idle: what a living server answers to a probe is a sign of life',
    async () => {
      await systemClock.sleep(PAST_ALL_LIMITS_MS);

      const [vitals] = worker.shards.vitals();
      expect(vitals?.evidence).toMatchObject({ phase: 'open', oldestUnhandledMs: undefined });
      expect(vitals?.evidence?.lastFrameMs).toBeLessThan(PAST_ALL_LIMITS_MS);
      expect(await since()).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'is not judged while its worker is suspended, nor for the time of the suspension when it has resumed',
    async () => {
      worker.gate.close();
      await worker.phones.write(CONTACT, OWN, 'while suspended');
      await systemClock.sleep(PAST_ALL_LIMITS_MS);
      const [suspended] = worker.shards.vitals();
      worker.gate.open();
      const [resumed] = worker.shards.vitals();
      await until('the message', received, (texts) => texts.length > 0);

      expect(suspended?.evidence).toMatchObject({ lastFrameMs: 0, phaseMs: 0 });
      expect(resumed?.evidence?.lastFrameMs).toBeLessThan(PAST_ALL_LIMITS_MS / 2);
      expect(await since()).toEqual([]);
      expect(received()).toEqual(['while suspended']);
    },
    TEST_MS,
  );

  it(
    'is not deaf while it works through a long line, however long that takes',
    async () => {
      const texts = Array.from({ length: 80 }, (_, index) => `in line ${index}`);
      // Slower than they come: the last of them waits longer than any limit.
      worker.beforePublish = () => systemClock.sleep(100);
      for (const text of texts) await worker.phones.write(CONTACT, OWN, text);

      await until('all of them', received, (seen) => seen.length >= texts.length);
      worker.beforePublish = async () => undefined;

      expect(received()).toEqual(texts);
      expect(await since()).toEqual([]);
    },
    TEST_MS,
  );

  it('counts what was replaced and why, never asks for the end of the process, and breaks nothing', async () => {
    const symptoms = ['silent_server', 'never_success', 'sends_stuck', 'deaf'] as const;
    const history = await worker.history(connection.connectionId);

    const counts = symptoms.map((symptom) => worker.metrics.totalOf('SocketsRecycled', { symptom }));

    expect(counts).toEqual(symptoms.map((symptom) => history.filter((shown) => shown.endsWith(`/${symptom}`)).length));
    expect(Math.min(...counts)).toBeGreaterThan(0);
    expect(worker.unwell).toEqual([]);
    expect(worker.broken).toEqual([]);
  });
});
