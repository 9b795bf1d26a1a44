import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Action } from '../../../shared/action/action.ts';
import { systemClock } from '../../../shared/kernel/clock.ts';
import { makeId, type MediaId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import type { FileToSend } from '../../../shared/media/fileToSend.ts';
import { pictureJobSchema, type PictureJob } from '../../../shared/media/pictureJob.ts';
import { PictureStore } from '../../../shared/media/pictureStore.ts';
import { mediaQueueName } from '../../../shared/platform/queues.ts';
import type { ActionOutcome } from '../../../worker/socket/port/actionOutcome.ts';
import { receive, startQueueStack, type QueueStack } from '../../functions/queueStack.ts';
import { until } from '../../whatsapp/until.ts';
import { someActions, startCore, type Core } from '../sending/fakes.ts';

const JPEG = Buffer.from('a small square picture');
const done: ActionOutcome = { outcome: 'succeeded', result: { set: true, pictureId: '1' } };

describe('an action that sets a picture', () => {
  let core: Core;
  let queues: QueueStack;
  beforeAll(async () => {
    [core, queues] = await Promise.all([startCore(), startQueueStack()]);
  });
  afterAll(() => Promise.all([core.stop(), queues.stop()]));

  const pictures = (): PictureStore => new PictureStore({ table: core.table, stage: 'test', clock: systemClock });
  const shown = async (action: Action): Promise<string | undefined> => {
    const now = await core.actions.find(action.connectionId, action.actionId);
    return now?.error === undefined ? now?.state : `${now.state}/${now.error.code}`;
  };
  const becomes = (action: Action, state: string) =>
    until(
      state,
      () => shown(action),
      (found) => found === state,
    );
  const jobs = async (): Promise<readonly PictureJob[]> =>
    (await receive(queues, `${queues.queueUrlBase}${mediaQueueName('test')}`)).flatMap(({ Body = '{}' }) => {
      const { data } = pictureJobSchema.safeParse(JSON.parse(Body));
      return data === undefined ? [] : [data];
    });

  /** A connection whose actions name a file in a state, which a test changes. */
  async function aRoom(file: { state: FileToSend['state'] | 'missing' }, overrides: Partial<Action> = {}) {
    const connection = await core.aConnection();
    const mediaId = makeId('med', Date.now(), systemRandom);
    const findToSend = async (tenantId: FileToSend['tenantId'], id: MediaId): Promise<FileToSend | undefined> =>
      id !== mediaId || tenantId !== connection.tenantId || file.state === 'missing'
        ? undefined
        : { mediaId, tenantId, state: file.state, objectKey: 'x' };
    const { stage, queue, queueUrlBase } = queues;
    const parts = { overrides: { findToSend, stage, queue, queueUrlBase } };
    const action = await core.anAction(connection, {
      kind: 'profile_picture_set',
      request: { id: mediaId },
      ...overrides,
    });
    return { ...someActions(core, connection, parts), action, mediaId, connection };
  }

  it('has it made, begins nothing meanwhile, and sets it once when it is there', async () => {
    const { desk, socket, action, mediaId, connection } = await aRoom({ state: 'ready' });
    socket.actionOutcomes.push(done);

    await desk.handle(action.actionId);
    const asked = await until('the job', jobs, (found) => found.some((job) => job.mediaId === mediaId));
    desk.look();
    expect(await core.actions.find(action.connectionId, action.actionId)).toMatchObject({
      state: 'accepted',
      attempts: 0,
    });
    expect(socket.asked).toEqual([]);
    await pictures().write(mediaId, 'portrait', { state: 'ready', jpeg: JPEG });
    desk.look();
    await becomes(action, 'succeeded');

    expect(asked.at(-1)).toMatchObject({ tenantId: connection.tenantId, connectionId: connection.connectionId });
    expect(socket.asked).toEqual([{ kind: 'profile_picture_set', request: { id: mediaId } }]);
    expect(Buffer.from(socket.askedBeside[0]?.picture ?? [])).toEqual(JPEG);
  });

  it('finds it there by itself where nobody says so', async () => {
    const { desk, socket, action, mediaId } = await aRoom({ state: 'ready' });
    socket.actionOutcomes.push(done);

    await desk.handle(action.actionId);
    await until('the job', jobs, (found) => found.some((job) => job.mediaId === mediaId));
    await pictures().write(mediaId, 'portrait', { state: 'ready', jpeg: JPEG });

    await becomes(action, 'succeeded');
  });

  it('waits for its file without asking for anything, and fails where that does not come', async () => {
    const file: { state: FileToSend['state'] } = { state: 'pending' };
    const { desk, socket, action } = await aRoom(file);

    await desk.handle(action.actionId);
    expect(await shown(action)).toBe('accepted');
    file.state = 'failed';
    desk.look();

    await becomes(action, 'failed/file_not_fetched');
    expect(socket.asked).toEqual([]);
  });

  it.each([
    ['whose file is gone', { state: 'gone' }, undefined, 'failed/file_gone'],
    ["whose file is nobody's", { state: 'missing' }, undefined, 'failed/file_gone'],
    ['whose file is no picture', { state: 'ready' }, 'wrong_type', 'failed/file_wrong_type'],
    ['whose file is damaged in a way of its own', { state: 'ready' }, 'too_many_frames', 'failed/file_broken'],
  ] as const)('fails one %s, and asks WhatsApp for nothing', async (_which, file, fault, expected) => {
    const { desk, socket, action, mediaId } = await aRoom(file);
    if (fault !== undefined) await pictures().write(mediaId, 'portrait', { state: 'failed', fault });

    await desk.handle(action.actionId);

    await becomes(action, expected);
    expect(socket.asked).toEqual([]);
  });

  it('expires where its picture is never made: nothing was done', async () => {
    const { desk, socket, action } = await aRoom({ state: 'ready' }, { expiresAtMs: Date.now() + 1_500 });

    await desk.handle(action.actionId);

    await becomes(action, 'expired/expired');
    expect(socket.asked).toEqual([]);
  });
});
