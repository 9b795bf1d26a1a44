import { describe, expect, it } from 'vitest';
import { isWordOfRecipient, type Addressed, type ReceiptOrigin } from '../../../shared/message/recipient.ts';

const ANN = '4915100000002@s.whatsapp.net';
const ANN_LID = '900002@lid';
const BOB = '4915100000003@s.whatsapp.net';
const GROUP = '120363000000000001@g.us';
const OTHER_GROUP = '120363000000000002@g.us';

const from = (chat: string, chatAlias?: string): ReceiptOrigin => ({
  chat,
  chatAlias,
  recipient: chat,
  recipientAlias: chatAlias,
});
const inGroup = (chat: string, recipient: string): ReceiptOrigin => ({ chat, recipient });

describe('whose word on a message counts', () => {
  it.each<readonly [what: string, message: Addressed, receipt: ReceiptOrigin, counts: boolean]>([
    ['the recipient', { to: ANN }, from(ANN), true],
    ['the recipient under the other name', { to: ANN }, from(ANN_LID, ANN), true],
    ['the recipient, sent to by LID', { to: ANN_LID }, from(ANN, ANN_LID), true],
    ['the recipient whose other name the message tells', { to: ANN, toAlias: ANN_LID }, from(ANN_LID), true],
    ['who WhatsApp took for the recipient', { to: '49151999@s.whatsapp.net', resolvedTo: ANN }, from(ANN), true],
    ['the same by LID', { to: '49151999@s.whatsapp.net', resolvedToAlias: ANN_LID }, from(ANN_LID), true],
    ['a LID of which nothing is known', { to: ANN }, from(ANN_LID), false],
    ['somebody else', { to: ANN }, from(BOB), false],
    ['somebody else who names the recipient', { to: ANN }, inGroup(BOB, ANN), false],
    ['the recipient in a group', { to: ANN }, inGroup(GROUP, ANN), false],
    ['somebody else in the chat of the recipient', { to: ANN }, inGroup(ANN, BOB), false],
    ['a member of the group', { to: GROUP }, inGroup(GROUP, BOB), true],
    ['the group itself', { to: GROUP }, from(GROUP), false],
    ['a member of another group', { to: GROUP }, inGroup(OTHER_GROUP, BOB), false],
    ['a person beside the group', { to: GROUP }, from(BOB), false],
    ['nobody', { to: ANN }, from(''), false],
    ['nobody in the group', { to: GROUP }, inGroup(GROUP, ''), false],
  ])('%s', (_what, message, receipt, counts) => {
    expect(isWordOfRecipient(message, receipt)).toBe(counts);
  });
});
