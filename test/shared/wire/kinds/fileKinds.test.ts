import { describe, expect, it } from 'vitest';
import { toldOf } from '../golden.ts';
import { fileMessages } from './fileMessages.ts';

describe('a kind that is a file', () => {
  it.each(fileMessages)('is told with what it shows, and keeps what fetches it: %s', (_what, message, expected) => {
    expect(toldOf(message)).toEqual(expected);
  });

  it.each([
    [1, 'album'],
    [5, 'hd'],
    [10, 'hd'],
    [12, 'motion_photo'],
    [19, 'hd'],
    [77, 'association_77'],
  ])('says what it is a part of: association %i is %s', (type, kind) => {
    const association = { associationType: type, parentMessageKey: { id: 'PARENT' } };
    const info = { messageAssociation: association };
    const within = { imageMessage: {}, messageContextInfo: info };

    expect(toldOf(within)).toMatchObject({ partOf: { kind, stanzaId: 'PARENT' } });
    expect(toldOf({ associatedChildMessage: { message: within } })).toMatchObject({
      content: { type: 'image' },
      partOf: { kind, stanzaId: 'PARENT' },
      flags: ['associatedChild'],
    });
    expect(
      toldOf({ associatedChildMessage: { message: { imageMessage: {} } }, messageContextInfo: info }),
    ).toMatchObject({
      partOf: { kind, stanzaId: 'PARENT' },
    });
    expect(
      toldOf({ imageMessage: {}, messageContextInfo: { messageAssociation: { associationType: type } } }),
    ).not.toHaveProperty('partOf');
  });
});
