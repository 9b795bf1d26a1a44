import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../whatsapp/until.ts';
import type { WorkerProcess } from './workerProcess.ts';
import { WorkerRoom } from './workerRoom.ts';

const OWN = '4915100000001';
const CONTACT = '4915100000002';
const PATIENCE_MS = 30_000;

describe('a worker process that ends by itself', () => {
  let room: WorkerRoom;
  let published: ReturnType<WorkerRoom['collectFacts']>;
  beforeAll(async () => {
    room = await WorkerRoom.start([OWN, CONTACT]);
    published = room.collectFacts();
  });
  afterEach(() => room.killAll());
  afterAll(async () => {
    await published.stop();
    await room.stop();
  });

  const aWorker = (overrides: Readonly<Record<string, string>> = {}): WorkerProcess =>
    room.aWorker(`recycle-${room.workers.length + 1}-${overrides['HOLDFAST_MAX_AGE_MS'] ?? 'calm'}`, {
      HOLDFAST_DRAIN_TIMEOUT_MS: '20000',
      HOLDFAST_GIVE_DEADLINE_MS: '8000',
      HOLDFAST_REBALANCE_EVERY_MS: '1000',
      HOLDFAST_VITALS_EVERY_MS: '200',
      ...overrides,
    });
  const says = ({ lines }: WorkerProcess, message: string): boolean =>
    lines.some((line) => line['message'] === message);
  const shown = (): Promise<readonly string[]> => room.shownTo(CONTACT);
  const received = (): readonly string[] =>
    published.facts.flatMap((fact) =>
      fact.kind === 'message' && fact.content.type === 'text' && !fact.fromMe ? [fact.content.text.body] : [],
    );

  it('waits with that until another one is there, hands over with nothing lost or doubled, and ends with 0', async () => {
    const old = aWorker({ HOLDFAST_MAX_AGE_MS: '500' });
    await old.ready;
    const connection = await room.aPairedConnection(OWN);
    await until('the reason', () => says(old, 'recycle reason changed'), Boolean, PATIENCE_MS);
    const sent = [await room.send(connection, 'alone', CONTACT)];
    await until('it is shown', shown, (texts) => texts.length === 1, PATIENCE_MS);
    const whileAlone = says(old, 'recycled because it is old');

    const heir = aWorker();
    const end = { hasCome: false };
    void old.exited.then(() => (end.hasCome = true));
    for (let number = 1; !end.hasCome; number += 1) {
      sent.push(await room.send(connection, `during ${number}`, CONTACT));
      await room.phones.write(CONTACT, OWN, `answer ${number}`);
      await until('its turn', shown, (texts) => end.hasCome || texts.length >= sent.length - 1, PATIENCE_MS);
    }
    sent.push(await room.send(connection, 'after', CONTACT));
    await until('all shown', shown, (texts) => texts.length === sent.length, PATIENCE_MS);
    await until('all received', received, (texts) => texts.length === sent.length - 2, PATIENCE_MS);
    const stats = await room.phones.stats();

    expect(whileAlone).toBe(false);
    expect(await old.exited).toBe(0);
    expect(says(old, 'recycled because it is old')).toBe(true);
    expect(old.lines.filter((line) => line['WorkerRecycled'] === 1 && line['reason'] === 'age')).toHaveLength(1);
    const during = sent.slice(2).map((_, index) => index + 1);
    expect(await shown()).toEqual(['alone', ...during.map((number) => `during ${number}`), 'after']);
    expect(received()).toEqual(during.map((number) => `answer ${number}`));
    expect(stats).toMatchObject({ replaced: 0, overlap: 0, resent: 0, undecryptable: 0 });
    expect(says(heir, 'recycled because it is old')).toBe(false);
  });

  it('drains at once when its memory is nearly gone, and ends with 0 although nobody is there', async () => {
    const heavy = aWorker({ HOLDFAST_MEMORY_LIMIT_MIB: '10' });
    await heavy.ready;

    const code = await heavy.exited;

    expect(code).toBe(0);
    expect(says(heavy, 'drains because its memory is nearly gone')).toBe(true);
    expect(heavy.lines.some((line) => line['reason'] === 'memory_critical' && line['WorkerRecycled'] === 1)).toBe(true);
  });

  it('refuses limits of memory that contradict each other', async () => {
    const worker = aWorker({ HOLDFAST_MEMORY_RECYCLE_PERCENT: '95', HOLDFAST_MEMORY_FULL_PERCENT: '96' });

    expect(await worker.exited).toBe(1);
    expect(worker.errors()).toContain('HOLDFAST_MEMORY_FULL_PERCENT: must be at most HOLDFAST_MEMORY_RECYCLE_PERCENT');
    expect(worker.errors()).toContain('HOLDFAST_MEMORY_RECYCLE_PERCENT: must be below HOLDFAST_MEMORY_DRAIN_PERCENT');
  });
});
