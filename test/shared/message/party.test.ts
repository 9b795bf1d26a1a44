import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toContact, toSender } from '../../../shared/message/party.ts';

const NUMBER = '4915111111111@s.whatsapp.net';
const LID = '236471520047@lid';

describe('a person as the API shows them', () => {
  it.each([
    ['by number alone', [NUMBER], { id: NUMBER, phoneNumber: '+4915111111111' }],
    ['by LID alone', [LID], { id: LID, lid: LID }],
    ['by both', [NUMBER, LID], { id: LID, phoneNumber: '+4915111111111', lid: LID }],
    ['a group', ['120363000000000000@g.us', undefined], { id: '120363000000000000@g.us' }],
    ['a channel', ['1@newsletter'], { id: '1@newsletter' }],
  ] as const)('is named %s', (_how, addresses, contact) => {
    expect(toContact(...addresses)).toEqual(contact);
  });

  it('is the same object in whatever order the names are told', () => {
    const names = fc.uniqueArray(fc.constantFrom(NUMBER, LID, undefined), { minLength: 3, maxLength: 3 });

    fc.assert(
      fc.property(names, (told) => {
        expect(toContact(...told)).toEqual(toContact(LID, NUMBER));
      }),
    );
  });

  it('has a name as a sender, where one is told', () => {
    expect(toSender({ sender: LID, senderName: 'Ada 😀', senderUsername: 'ada.l' })).toEqual({
      id: LID,
      lid: LID,
      name: 'Ada 😀',
      username: 'ada.l',
    });
    expect(toSender({ sender: LID })).toEqual({ id: LID, lid: LID });
  });
});
