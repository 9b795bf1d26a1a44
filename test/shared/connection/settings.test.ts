import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inboundTypes } from '../../../shared/content/content.ts';
import { fileUses } from '../../../shared/content/mediaFile.ts';
import { chatKinds } from '../../../shared/connection/chatKind.ts';
import {
  applyChange,
  connectionChangeSchema,
  readSettings,
  settingsSchema,
  withDefaults,
  type StoredSettings,
} from '../../../shared/connection/settings.ts';

const defaults = {
  reconnect: { baseDelayMs: undefined, maxDelayMs: undefined, maxAttempts: undefined },
  presence: 'unavailable',
  filters: {
    ...Object.fromEntries(chatKinds.map((kind) => [kind, 'deliver'])),
    types: Object.fromEntries(inboundTypes.map((type) => [type, 'deliver'])),
  },
  media: {
    ...Object.fromEntries(chatKinds.map((kind) => [kind, 'fetch'])),
    files: Object.fromEntries(fileUses.map((use) => [use, 'fetch'])),
    mostBytes: 2_147_483_648,
  },
  history: 'recent',
  readReceipts: 'manual',
  groupStatus: 'slowest',
  pace: {
    budgets: undefined,
    firstContactsPerDay: undefined,
    messagesPerMinute: undefined,
    messagesPerChatPerMinute: undefined,
  },
  calls: 'ignore',
};

describe('stored settings', () => {
  it.each<readonly [what: string, stored: unknown]>([
    ['no settings', undefined],
    ['null', null],
    ['a text', 'presence'],
    ['a list', ['available']],
    ['groups that are none', { filters: 'drop', reconnect: 7 }],
    ['values that none may have', { presence: 'busy', calls: 'accept', reconnect: { baseDelayMs: -1 } }],
    ['names of a newer version', { historySync: true, filters: { channels: 'drop' } }],
    ['names that every object has', JSON.parse('{"__proto__":{"calls":"reject"},"constructor":{"calls":"reject"}}')],
  ])('have the defaults where a row has %s', (_what, stored) => {
    expect(withDefaults(readSettings(stored as StoredSettings))).toEqual(defaults);
  });

  it('lose a damaged setting alone', () => {
    const read = readSettings({ presence: 'available', calls: 9, filters: { groups: 'drop', newsletters: 1 } });

    expect(read).toEqual({ presence: 'available', filters: { groups: 'drop' } });
  });

  it('are always shown as the published schema says, whatever stands in the row', () => {
    const names = fc.constantFrom('reconnect', 'presence', 'filters', 'groups', 'baseDelayMs', 'calls', 'readReceipts');
    const values = fc.oneof(fc.constantFrom('drop', 'reject', 'available', 5_000), fc.jsonValue());
    const rows = fc.dictionary(names, fc.oneof(values, fc.dictionary(names, values)));

    fc.assert(
      fc.property(fc.oneof(rows, fc.jsonValue()), (row) => {
        const read = readSettings(row as StoredSettings);
        expect(settingsSchema.parse(read)).toEqual(read);
        // Read again they are the same, and a default takes the place of nothing that was chosen.
        expect(readSettings(read as StoredSettings)).toEqual(read);
        expect(withDefaults(read)).toMatchObject(read);
      }),
    );
  });

  it('of a newer version survive a change that is made by an older one', () => {
    const stored = { historySync: true, filters: { channels: 'drop', groups: 'drop' } };
    const change = connectionChangeSchema.parse({ settings: { calls: 'reject', filters: { groups: null } } });

    expect(applyChange({ label: undefined, settings: stored }, change)).toMatchObject({
      settings: { historySync: true, filters: { channels: 'drop' }, calls: 'reject' },
    });
  });

  it('that are damaged are put right by a change', () => {
    const change = connectionChangeSchema.parse({ settings: { filters: { groups: 'drop' } } });

    const changed = applyChange({ label: undefined, settings: { filters: 'all' } }, change);

    expect(changed).toMatchObject({ settings: { filters: { groups: 'drop' } } });
  });
});
