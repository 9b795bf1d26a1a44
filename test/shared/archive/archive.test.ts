import { describe, expect, it } from 'vitest';
import { isChosen } from '../../../shared/archive/chosenRows.ts';
import { isExportFileName } from '../../../shared/archive/exportFiles.ts';
import { nextTime } from '../../../shared/archive/newExport.ts';
import { toRestoredItem, type KeptRow } from '../../../shared/archive/restoredRow.ts';
import { makeId, type ConnectionId, type TenantId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import { toStoredMap } from '../../../shared/platform/itemValues.ts';

const DAY = 86_400_000;
const into = { tenantId: 'tnt_1' as TenantId, connectionId: 'con_1' as ConnectionId };

describe('what is chosen of the rows of a connection', () => {
  const message = { chat: 'group@g.us', sender: '1@lid', senderAlias: '49@s.whatsapp.net', createdAtMs: 1_000 };

  it.each([
    ['all', { isAuthor: false }, true],
    ['a chat', { names: ['group@g.us'], isAuthor: false }, true],
    ['another chat', { names: ['1@lid'], isAuthor: false }, false],
    ['a person, in a group', { names: ['49@s.whatsapp.net'], isAuthor: true }, true],
    ['a person who wrote nothing of it', { names: ['50@s.whatsapp.net'], isAuthor: true }, false],
    ['from its time on', { isAuthor: false, fromMs: 1_000 }, true],
    ['from later on', { isAuthor: false, fromMs: 1_001 }, false],
    ['until its time', { isAuthor: false, untilMs: 1_000 }, false],
  ])('is a message: %s', (_of, chosen, isIt) => {
    expect(isChosen('messages', message, chosen)).toBe(isIt);
  });

  it.each([
    ['contacts', { id: '1@lid', number: '49' }, true],
    ['contacts', { id: '2@lid', number: '' }, false],
    ['chats', { id: '49@s.whatsapp.net' }, true],
    ['numbers', { sk: 'NUMBER#49', id: '3@lid' }, true],
    ['numbers', { sk: 'NUMBER#50', id: '3@lid' }, false],
  ] as const)('is a row of %s by any name of the person', (holds, row, isIt) => {
    expect(isChosen(holds, row, { names: ['49@s.whatsapp.net', '1@lid'], isAuthor: true })).toBe(isIt);
  });
});

describe('a row of an export', () => {
  const messageId = makeId('msg', Date.now(), systemRandom);
  const row = {
    sk: `MESSAGE#${messageId}`,
    messageId,
    direction: 'in',
    createdAtMs: 1,
    content: { type: 'text', text: { body: 'x' } },
  };
  const restored = (kind: Exclude<KeptRow['kind'], 'history'>, kept: object) =>
    toRestoredItem({ kind, kept: toStoredMap({ ...kept }) }, into, 5_000);

  it('is brought back for the connection and the tenant that are named, whatever it says', () => {
    const item = restored('message', { ...row, tenantId: 'tnt_2', connectionId: 'con_2', pk: 'TENANT#tnt_2' });

    expect(item).toEqual({ ...row, ...into, pk: 'CON#con_1', ttl: 5 + 90 * 86_400 });
  });

  it.each([
    ['message', { ...row, sk: 'TENANT' }],
    ['message', { ...row, messageId: 'msg_1' }],
    ['message', { ...row, content: undefined }],
    ['version', { sk: `VERSION#${messageId}#1#x`, content: {} }],
    ['version', { sk: 'PAIRING', content: {} }],
    ['receipts', { sk: 'RECEIPTS#../x', people: '' }],
    ['chat', { sk: 'CHAT#a', id: 'b', version: 1 }],
    ['contact', { sk: 'CONTACT#a', id: 'a' }],
    ['number', { sk: 'NUMBER#4x', id: 'a' }],
  ] as const)('is left where it is none: %s %j', (kind, kept) => {
    expect(restored(kind, kept)).toBe('malformed');
  });

  it('is left where its values have no form, or where the message had not ended', () => {
    expect(toRestoredItem({ kind: 'chat', kept: { id: { X: 1 } } }, into, 0)).toBe('malformed');
    expect(restored('message', { ...row, direction: 'out', state: 'queued' })).toBe('unfinished');
    expect(restored('message', { ...row, direction: 'out', state: 'failed' })).toMatchObject({ state: 'failed' });
  });
});

describe('the names of files of exports', () => {
  it.each([
    ['manifest.json', true],
    [`part-000001-${'a'.repeat(12)}.jsonl.gz`, true],
    ['med_01K3C5F7XQ4T6V8X0Z2B4D6F8H', true],
    ['../manifest.json', false],
    ['part-1.jsonl.gz', false],
    ['', false],
  ])('%s', (name, isOne) => {
    expect(isExportFileName(name)).toBe(isOne);
  });
});

describe('the time of the next export of a schedule', () => {
  it.each([
    ['at its time', 0, 0, 1],
    ['late', 0, DAY / 2, 1],
    ['after days in which nothing ran', 0, 3 * DAY + 5, 4],
    ['before its time', 2 * DAY, DAY, 3],
  ])('is ahead, %s', (_when, dueAtMs, nowMs, days) => {
    expect(nextTime(dueAtMs, DAY, nowMs)).toBe(days * DAY);
  });
});
