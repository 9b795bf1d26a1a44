import type { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { isOfNewerRelease } from '../../../shared/message/command.ts';
import { silentLogger } from '../../../shared/platform/logger.ts';
import { handleCommand } from '../../../worker/commands/commandHandler.ts';

const envelope = { version: 1, tenantId: 'tnt_1', connectionId: 'con_1', correlationId: 'cor_1' };

describe('a command that a worker cannot read', () => {
  const cases: readonly (readonly [what: string, body: string, becomes: 'left' | 'set aside'])[] = [
    ['a kind that this release does not know', JSON.stringify({ ...envelope, kind: 'send_hologram' }), 'left'],
    ['a later version of a kind', JSON.stringify({ ...envelope, version: 2, kind: 'send_message' }), 'left'],
    ['a control word that is not known', JSON.stringify({ ...envelope, kind: 'control', control: 'dance' }), 'left'],
    ['one that lacks a part', JSON.stringify({ ...envelope, kind: 'send_message' }), 'set aside'],
    ['a control command without a word', JSON.stringify({ ...envelope, kind: 'control' }), 'set aside'],
    ['one for nobody', JSON.stringify({ ...envelope, connectionId: '', kind: 'send_hologram' }), 'set aside'],
    ['one whose kind is no word', JSON.stringify({ ...envelope, kind: 'Send Hologram!' }), 'set aside'],
    ['one without a version', JSON.stringify({ ...envelope, version: undefined, kind: 'send_hologram' }), 'set aside'],
    ['a list', '[]', 'set aside'],
    ['nothing', '', 'set aside'],
    ['half of one', '{"version":1,', 'set aside'],
  ];

  it.each(cases)('is left to a newer worker, or goes to the dead letters at once: %s', async (_what, body, becomes) => {
    const dead: string[] = [];
    const acting = {
      send: async ({ input }: SendMessageCommand) => void dead.push(`${input.MessageGroupId} ${input.MessageBody}`),
    } as unknown as SQSClient;
    const hold = (): never => {
      throw new Error('nothing is held for it');
    };
    const record = {
      body,
      group: 'con_1',
      receiptHandle: 'handle',
      sequenceNumber: '1',
      receiveCount: 1,
      enqueuedAtMs: 0,
    };

    const result = await handleCommand({ hold, acting, deadLetterUrl: 'dead', logger: silentLogger }, record);

    expect([result, dead]).toEqual(becomes === 'left' ? ['left', []] : ['done', [`con_1 ${body}`]]);
  });

  it('is told from one of a newer release by what stays the same in all of them', () => {
    for (const nothing of [undefined, null, 7, 'send_message', {}, { kind: 'send_hologram' }]) {
      expect(isOfNewerRelease(nothing)).toBe(false);
    }
  });
});
