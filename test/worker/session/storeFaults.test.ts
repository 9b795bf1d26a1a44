import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { BatchGetCommand, DeleteCommand, PutCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '../../../shared/kernel/clock.ts';
import type { Session } from '../../../worker/session/session.ts';
import { Sessions, TABLE } from './sessions.ts';

/** What the store does with a call; `go` hands it on. */
type Fault = (command: unknown, go: () => Promise<unknown>) => Promise<unknown>;

const throttled = (): Error => Object.assign(new Error('slow down'), { name: 'ThrottlingException' });
const noAnswer = (): Error => Object.assign(new Error('no answer'), { name: 'TimeoutError' });

/** A fault for the first calls of a kind; later ones go through. */
function forFirst(count: number, kind: 'read' | 'write', fault: Fault): Fault {
  let left = count;
  return (command, go) => {
    const isKind = kind === 'read' ? command instanceof BatchGetCommand : command instanceof PutCommand;
    return isKind && (left -= 1) >= 0 ? fault(command, go) : go();
  };
}

const refuse =
  (error: () => Error): Fault =>
  async () => {
    throw error();
  };
/** It was done, and nobody hears of it. */
const applyAndRefuse =
  (error: () => Error): Fault =>
  async (_command, go) => {
    await go();
    throw error();
  };

describe('faults of the session store', () => {
  let sessions: Sessions;
  beforeAll(async () => {
    sessions = await Sessions.start();
  });
  afterAll(() => sessions.stop());
  beforeEach(() => sessions.next());

  function withFault(fault: Fault): DynamoDBDocumentClient {
    const table = sessions.table();
    const send = table.send.bind(table) as (command: unknown, options: unknown) => Promise<unknown>;
    table.send = ((command: unknown, options: unknown) =>
      fault(command, () => send(command, options))) as typeof table.send;
    return table;
  }
  /** Time flies between two tries, so that patience ends. */
  const hasty = (): Clock => {
    let nowMs = 0;
    return {
      ...systemClock,
      monotonicMs: () => (nowMs += 1_000),
      sleep: (durationMs, signal) => systemClock.sleep(durationMs <= 1_000 ? 0 : durationMs, signal),
    };
  };
  /** A session of an owner that has not read anything, with one step stored by the owner before. */
  async function withStep(fault: Fault, clock?: Clock): Promise<Session> {
    await (await sessions.paired(1)).setKeys({ session: { '1.0': { step: 1 } } });
    return sessions.owner(2, { table: withFault(fault), ...(clock === undefined ? {} : { clock }) });
  }
  const stored = async () => (await (await sessions.owner(3)).getKeys('session', ['1.0']))['1.0'];

  it.each<readonly [fault: string, fault: () => Fault, outcome: string, after: number]>([
    ['is throttled now and then', () => forFirst(3, 'write', refuse(throttled)), 'done', 2],
    ['does not answer, and did nothing', () => forFirst(1, 'write', refuse(noAnswer)), 'done', 2],
    ['does not answer, and did it', () => forFirst(1, 'write', applyAndRefuse(noAnswer)), 'done', 2],
    ['does not answer twice, and did it the second time', twiceWithoutAnswer, 'done', 2],
    ['is throttled for ever', () => forFirst(Infinity, 'write', refuse(throttled)), 'ThrottlingException', 1],
    ['does not answer for ever, and did it', doneWithoutAnswer, 'TimeoutError', 2],
    ['says that a newer owner was here', () => forFirst(1, 'write', refuse(newerOwner)), 'OwnershipLostError', 1],
    ['says that an older write of ours was taken', () => forFirst(1, 'write', refuse(ownWrite)), 'StaleItemError', 1],
    ['has lost the item', () => forFirst(1, 'write', refuse(gone)), 'ItemWentBackError', 1],
  ])('a write, when the store %s', async (_what, fault, outcome, after) => {
    const session = await withStep(fault(), hasty());

    const ended = await session.setKeys({ session: { '1.0': { step: 2 } } }).then(
      () => 'done',
      (error: Error) => error.name,
    );

    expect(ended).toBe(outcome);
    // Ratchets that may have gone back are left behind.
    expect(await stored()).toEqual(outcome === 'ItemWentBackError' ? undefined : { step: after });
  });

  it.each<readonly [fault: string, fault: () => Fault, outcome: string]>([
    ['is throttled now and then', () => forFirst(3, 'read', refuse(throttled)), 'step 1'],
    ['gives part of an answer', () => forFirst(1, 'read', halfAnswer), 'step 1'],
    ['is throttled for ever', () => forFirst(Infinity, 'read', refuse(throttled)), 'ThrottlingException'],
    ['does not answer for ever', () => forFirst(Infinity, 'read', refuse(noAnswer)), 'TimeoutError'],
  ])('a read, when the store %s', async (_what, fault, outcome) => {
    let isArmed = false;
    const armed = fault();
    const session = await withStep((command, go) => (isArmed ? armed(command, go) : go()), hasty());
    isArmed = true;

    const ended = await session.getKeys('session', ['1.0']).then(
      (found) => `step ${(found['1.0'] as { readonly step: number } | undefined)?.step ?? 'none'}`,
      (error: Error) => error.name,
    );

    expect(ended).toBe(outcome);
  });

  it.each<readonly [what: string, change: (item: Record<string, unknown>) => Record<string, unknown>]>([
    ['has a bit changed', (item) => ({ ...item, body: flipped(item['body'] as Uint8Array) })],
    ['is cut', (item) => ({ ...item, body: (item['body'] as Uint8Array).subarray(0, 20) })],
    ['has no body', ({ body: _body, ...item }) => item],
    ['says another version', (item) => ({ ...item, version: 9 })],
    ['says another epoch', (item) => ({ ...item, epoch: 0 })],
  ])('an item that %s is an error and never "no session"', async (_what, change) => {
    const session = await withStep((_command, go) => go());
    const item = await sessions.item('SIGNAL#1.0');
    await sessions.table().send(new PutCommand({ TableName: TABLE, Item: change(item ?? {}) }));

    await expect(session.getKeys('session', ['1.0'])).rejects.toMatchObject({ name: 'UnreadableItemError' });
    await expect(session.setKeys({ session: { '1.0': { step: 2 } } })).rejects.toMatchObject({
      name: 'UnreadableItemError',
    });
  });

  it("another contact's item in its place is an error and never a session", async () => {
    const session = await withStep((_command, go) => go());
    await (await sessions.owner(1)).setKeys({ session: { '2.0': { step: 7 } } });
    const foreign = await sessions.item('SIGNAL#2.0');
    const own = await sessions.item('SIGNAL#1.0');
    await sessions.table().send(new PutCommand({ TableName: TABLE, Item: { ...foreign, sk: own?.['sk'] } }));

    await expect(session.getKeys('session', ['1.0'])).rejects.toMatchObject({ name: 'UnreadableItemError' });
  });

  it('a data key that cannot be unwrapped stops the session before anything is read', async () => {
    await sessions.paired(1);
    const wrong = {
      generateDataKey: () => Promise.reject(new Error('unused')),
      unwrapDataKey: () => Promise.reject(Object.assign(new Error('denied'), { name: 'AccessDeniedException' })),
    };

    await expect(sessions.owner(2, { keyProvider: wrong })).rejects.toThrow('denied');
  });

  it('a wrong data key is an error and never an unpaired connection', async () => {
    await sessions.paired(1);
    const wrong = {
      generateDataKey: () => Promise.reject(new Error('unused')),
      unwrapDataKey: async () => new Uint8Array(32),
    };

    await expect(sessions.owner(2, { keyProvider: wrong })).rejects.toMatchObject({ name: 'UnreadableItemError' });
  });

  it('half of the credentials is an error and never an unpaired connection', async () => {
    await sessions.paired(1);
    const account = await sessions.item('ACCOUNT');
    await sessions
      .table()
      .send(new DeleteCommand({ TableName: TABLE, Key: { pk: account?.['pk'], sk: account?.['sk'] } }));

    await expect(sessions.owner(2)).rejects.toThrow('half of the credentials is missing');
  });
});

function twiceWithoutAnswer(): Fault {
  const [first, second] = [refuse(noAnswer), applyAndRefuse(noAnswer)];
  let calls = 0;
  return forFirst(2, 'write', (command, go) => ((calls += 1) === 1 ? first(command, go) : second(command, go)));
}

/** The first try is taken, and neither it nor any later one is answered. */
function doneWithoutAnswer(): Fault {
  let calls = 0;
  return forFirst(Infinity, 'write', async (_command, go) => {
    if ((calls += 1) === 1) await go();
    throw noAnswer();
  });
}

const halfAnswer: Fault = async (command, go) => {
  await go();
  const { RequestItems } = (command as BatchGetCommand).input;
  return { Responses: { [TABLE]: [] }, UnprocessedKeys: RequestItems };
};

function refusedBy(item: Record<string, unknown> | undefined): Error {
  return new ConditionalCheckFailedException({ message: 'refused', $metadata: {}, Item: item as never });
}

function newerOwner(): Error {
  return refusedBy({ epoch: { N: '9' }, version: { N: '2' }, writeId: { B: new Uint8Array(8) } });
}

function ownWrite(): Error {
  return refusedBy({ epoch: { N: '2' }, version: { N: '2' }, writeId: { B: new Uint8Array(8) } });
}

function gone(): Error {
  return refusedBy(undefined);
}

function flipped(body: Uint8Array): Uint8Array {
  const copy = Buffer.from(body);
  copy[40] = (copy[40] ?? 0) ^ 1;
  return copy;
}
