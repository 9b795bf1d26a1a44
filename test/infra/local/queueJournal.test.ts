import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JOURNAL_BEGINS, QueueJournal } from '../../../infra/local/queueJournal.ts';
import { KeptQueues, type QueueRecord } from '../../../infra/local/queueRecords.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-journal-'));
  file = join(folder, 'journal');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const aQueue = (name: string): QueueRecord => [
  'queue',
  { name, url: name, arn: name, attributes: {}, createdTimestamp: 1, lastModifiedTimestamp: 1, sequenceCounter: 0 },
];
const aMessage = (messageId: string, body = '', queue = 'a'): QueueRecord => {
  const message = { messageId, body, sequenceNumber: String(body.length), approximateReceiveCount: 0 };
  return ['message', queue, message];
};

const queue = fc.constantFrom('a', 'b');
const id = fc.constantFrom('1', '2', '3', '4', '5');
const record: fc.Arbitrary<QueueRecord> = fc.oneof(
  queue.map(aQueue),
  fc
    .tuple(queue, fc.dictionary(fc.constantFrom('VisibilityTimeout', 'RedrivePolicy'), fc.string()))
    .map(([name, set]): QueueRecord => ['set', name, set, 2]),
  queue.map((name): QueueRecord => ['no queue', name]),
  queue.map((name): QueueRecord => ['emptied', name]),
  fc
    .tuple(id, fc.string({ unit: 'grapheme' }), queue)
    .map(([messageId, body, name]) => aMessage(messageId, body, name)),
  fc
    .tuple(id, fc.string(), fc.nat(), fc.nat())
    .map(([one, handle, untilMs, receives]): QueueRecord => ['hidden', one, { handle, untilMs }, receives, 7]),
  id.map((one): QueueRecord => ['shown', one]),
  id.map((one): QueueRecord => ['gone', one]),
);

/** What happens to two queues. */
const history = fc.array(record, { minLength: 1, maxLength: 30 }).map((all) => [aQueue('a'), aQueue('b'), ...all]);

/** What records say together, as values; each run has objects of its own. */
function saidBy(records: readonly QueueRecord[]): unknown {
  const kept = new KeptQueues();
  for (const one of structuredClone(records)) kept.take(one);
  return valuesOf(kept);
}

const valuesOf = ({ queues, messages }: KeptQueues): unknown =>
  JSON.parse(JSON.stringify([[...queues], [...messages]])) as unknown;

/** What a journal says that is opened on the file now. */
function reopened(): unknown {
  const journal = new QueueJournal(file);
  journal.close();
  return valuesOf(journal.kept);
}

function write(records: readonly QueueRecord[], rewriteBytes?: number): void {
  const journal = new QueueJournal(file, rewriteBytes);
  for (const one of structuredClone(records)) {
    journal.add(one);
    journal.write();
  }
  journal.close();
}

describe('the journal of the queue emulator', () => {
  it('always says after a restart what all of its records said together', () => {
    fc.assert(
      fc.property(history, fc.nat({ max: 600 }), (records, rewriteBytes) => {
        rmSync(file, { force: true });

        write(records, rewriteBytes);

        expect(reopened()).toEqual(saidBy(records));
        expect(reopened()).toEqual(saidBy(records));
      }),
      { numRuns: 30 },
    );
  });

  it('always, cut short anywhere, says what the whole lines said, and goes on from there', () => {
    fc.assert(
      fc.property(history, fc.double({ min: 0, max: 1, noNaN: true }), (records, part) => {
        rmSync(file, { force: true });
        write(records);
        const bytes = readFileSync(file);
        const end = JOURNAL_BEGINS.length + Math.floor(part * (bytes.length - JOURNAL_BEGINS.length));
        const whole = bytes.subarray(JOURNAL_BEGINS.length, end).toString().split('\n').length - 1;
        writeFileSync(file, bytes.subarray(0, end));

        write([aQueue('c'), aMessage('after', 'it', 'c')]);

        expect(reopened()).toEqual(saidBy([...records.slice(0, whole), aQueue('c'), aMessage('after', 'it', 'c')]));
      }),
      { numRuns: 30 },
    );
  });

  it('reads nothing behind a line that is not whole, since later ones may speak of it', () => {
    write([aQueue('a'), aMessage('1')]);
    writeFileSync(file, `${readFileSync(file, 'utf8')}\0\0\0\n${JSON.stringify(aMessage('2'))}\n`);

    expect(reopened()).toEqual(saidBy([aQueue('a'), aMessage('1')]));
  });

  it('stays small while messages come and go', () => {
    const traffic = Array.from({ length: 500 }, (_, index): readonly QueueRecord[] => [
      aMessage(String(index), 'x'.repeat(1_000)),
      ['gone', String(index)],
    ]).flat();

    write([aQueue('a'), ...traffic, aMessage('last')], 10_000);

    expect(statSync(file).size).toBeLessThan(20_000);
    expect(reopened()).toEqual(saidBy([aQueue('a'), ...traffic, aMessage('last')]));
  });

  it('resolves when the records of the turn are in the file, and not before', async () => {
    const journal = new QueueJournal(file);
    const isIn = (): boolean => readFileSync(file, 'utf8').includes('"one"');

    journal.add(aQueue('one'));
    const before = isIn();
    await journal.written();
    const after = isIn();
    const idle = journal.written();
    journal.close();

    expect([before, after, idle]).toEqual([false, true, undefined]);
  });

  it('refuses a file of somebody else, and leaves it', () => {
    writeFileSync(file, 'a list of mine');

    expect(() => new QueueJournal(file)).toThrow(/is no journal/);
    expect(readFileSync(file, 'utf8')).toBe('a list of mine');
  });
});
