import { describe, expect, it } from 'vitest';
import { checkInput } from '../../../functions/http/checkInput.ts';
import { AppError } from '../../../shared/kernel/appError.ts';
import { onlyPossible, outboundMessageSchema, type OutboundMessage } from '../../../shared/message/outboundMessage.ts';
import { interactives, requests } from './requests.ts';

const TO = '+49 151 00000002';
const accept = (request: object): OutboundMessage =>
  onlyPossible(checkInput(outboundMessageSchema, { to: TO, ...request }, 'body') as OutboundMessage);

/** The code of a refusal, and its problems by field. */
function refusalOf(request: object): { readonly code: string; readonly fields: Readonly<Record<string, string>> } {
  try {
    accept(request);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { code: error.code, fields: Object.fromEntries(error.fields.map(({ field, problem }) => [field, problem])) };
  }
  throw new Error('it was accepted');
}

const text = { type: 'text', text: { body: 'see https://example.com' } };
const preview = { url: 'https://example.com', title: 'x' };
const poll = { name: 'Lunch?', options: ['a', 'b'] };
const event = { name: 'Party', starts_at: '2030-01-02T18:00:00Z' };
const invite = { group_id: '120363041234567890@g.us', code: 'Abc', group_name: 'Staff' };
const { button, list, link, place } = interactives;
const rows = (count: number) => Array.from({ length: count }, (_, index) => ({ id: `${index}`, title: `${index}` }));

describe('a request to send', () => {
  it.each(Object.entries(requests))('is accepted as it stands: %s', (_what, request) => {
    expect(accept(request)).toEqual({ to: TO, ...request });
  });

  it('takes what clients of the Cloud API write beside it', () => {
    const cloud = { messaging_product: 'whatsapp', recipient_type: 'individual', biz_opaque_callback_data: 'order 7' };
    const asked = { ...cloud, type: 'text', text: { body: 'x', preview_url: true }, context: { message_id: 'msg_1' } };

    expect(accept(asked)).toEqual({ to: TO, ...asked, text: { body: 'x' } });
    expect(accept({ type: 'location', location: { latitude: '37.48', longitude: '-122.14' } })).toMatchObject({
      location: { latitude: 37.48, longitude: -122.14 },
    });
  });

  it.each([
    ['everything else', { expires_in: 86_400, mention_all: true, mentions: [TO] }],
    ['no end', { expires_in: 0, mention_all: false, mentions: [] }],
  ])('says how it is sent: %s', (_what, more) => {
    expect(accept({ ...text, ...more })).toEqual({ to: TO, ...text, ...more });
  });

  it.each<[string, object, string, string | RegExp]>([
    ['no text', { type: 'text', text: { body: '' } }, 'text.body', 'must not be empty'],
    ['a text too long', { type: 'text', text: { body: 'x'.repeat(4_097) } }, 'text.body', 'at most 4096 characters'],
    [
      'a preview of another link',
      { type: 'text', text: { body: 'x', preview } },
      'text.preview.url',
      'must stand in text.body',
    ],
    [
      'a picture that is none',
      { ...text, text: { ...text.text, preview: { ...preview, thumbnail: 'AAAA' } } },
      'text.preview.thumbnail',
      'must be a JPEG in base64',
    ],
    [
      'a preview from within',
      { type: 'text', text: { body: 'file:///etc', preview: { ...preview, url: 'file:///etc' } } },
      'text.preview.url',
      /address on the internet/,
    ],
    [
      'no number',
      { type: 'location', location: { latitude: 'x', longitude: 1 } },
      'location.latitude',
      'must be a number from -90 to 90',
    ],
    [
      'NaN',
      { type: 'location', location: { latitude: Number.NaN, longitude: 1 } },
      'location.latitude',
      'must be a number from -90 to 90',
    ],
    [
      'the far side of the world',
      { type: 'location', location: { latitude: 1, longitude: 180.5 } },
      'location.longitude',
      'must be a number from -180 to 180',
    ],
    ['nobody', { type: 'contacts', contacts: [] }, 'contacts', 'at least 1 entry'],
    [
      'a contact without a name',
      { type: 'contacts', contacts: [{ name: {} }] },
      'contacts.0.name.formatted_name',
      'is missing',
    ],
    [
      'a line break in a type',
      { type: 'contacts', contacts: [{ name: { formatted_name: 'x' }, phones: [{ phone: '1', type: 'CELL\nX:' }] }] },
      'contacts.0.phones.0.type',
      'must be a word, such as CELL or HOME',
    ],
    ['one option', { type: 'poll', poll: { ...poll, options: ['a'] } }, 'poll.options', 'at least 2 entries'],
    [
      '13 options',
      { type: 'poll', poll: { ...poll, options: rows(13).map(({ id }) => id) } },
      'poll.options',
      'at most 12 entries',
    ],
    [
      'equal options',
      { type: 'poll', poll: { ...poll, options: ['a', 'a'] } },
      'poll.options',
      'must all be different',
    ],
    ...['  ', '\u200f', '\u200b\ufeff'].map((option): [string, object, string, string] => [
      `an option of which nobody sees anything: ${JSON.stringify(option)}`,
      { type: 'poll', poll: { ...poll, options: ['a', option] } },
      'poll.options.1',
      'must have something that can be seen',
    ]),
    [
      'an option too long',
      { type: 'poll', poll: { ...poll, options: ['a', 'x'.repeat(101)] } },
      'poll.options.1',
      'at most 100 characters',
    ],
    [
      'more answers than options',
      { type: 'poll', poll: { ...poll, selectable_count: 3 } },
      'poll.selectable_count',
      'at most the number of options, 2',
    ],
    [
      'a quiz without its answer',
      { type: 'poll', poll: { ...poll, correct_option: 'c' } },
      'poll.correct_option',
      'must be one of the options',
    ],
    [
      'a quiz of two answers',
      { type: 'poll', poll: { ...poll, correct_option: 'a', selectable_count: 2 } },
      'poll.selectable_count',
      'must be 1 in a quiz',
    ],
    [
      'a text of spaces alone',
      { type: 'text', text: { body: ' \n\u00A0 ' } },
      'text.body',
      'must have something that can be seen',
    ],
    [
      'a text of marks alone that nobody sees',
      { type: 'text', text: { body: '\u200E\u200B' } },
      'text.body',
      'must have something that can be seen',
    ],
    ['a day that is none', { type: 'poll', poll: { ...poll, ends_at: 'tomorrow' } }, 'poll.ends_at', /ISO 8601/],
    [
      'an event that ends before it begins',
      { type: 'event', event: { ...event, ends_at: '2030-01-02T17:00:00Z' } },
      'event.ends_at',
      'must be after starts_at',
    ],
    [
      'half a place',
      { type: 'event', event: { ...event, location: { name: 'x', latitude: 1 } } },
      'event.location',
      'must have both latitude and longitude, or neither',
    ],
    [
      'a call elsewhere',
      { type: 'event', event: { ...event, call_link: 'https://example.com/x' } },
      'event.call_link',
      /^must be the link of a call/,
    ],
    [
      'an invitation to a person',
      { type: 'group_invite', group_invite: { ...invite, group_id: TO } },
      'group_invite.group_id',
      'must be the address of a group, …@g.us',
    ],
    ['an hour', { ...text, expires_in: 3_600 }, 'expires_in', 'must be one of 0, 86400, 604800, 7776000'],
    [
      'a mark too long',
      { ...text, biz_opaque_callback_data: 'x'.repeat(513) },
      'biz_opaque_callback_data',
      'at most 512 characters',
    ],
    [
      'four buttons',
      {
        type: 'interactive',
        interactive: { ...button, action: { buttons: [...button.action.buttons, ...button.action.buttons] } },
      },
      'interactive.action.buttons',
      'at most 3 entries',
    ],
    [
      '11 rows',
      { type: 'interactive', interactive: { ...list, action: { button: 'x', sections: [{ rows: rows(11) }] } } },
      'interactive.action.sections',
      'at most 10 rows in all',
    ],
    [
      'equal ids',
      {
        type: 'interactive',
        interactive: { ...list, action: { button: 'x', sections: [{ rows: [rows(1), rows(1)].flat() }] } },
      },
      'interactive.action.sections',
      'must have ids that are all different',
    ],
    [
      'a poll of a link',
      { type: 'interactive', interactive: { ...link, fallback: 'poll' } },
      'interactive.fallback',
      'must be text: there is nothing to choose from',
    ],
    [
      'a poll of one button',
      {
        type: 'interactive',
        interactive: { ...button, action: { buttons: [button.action.buttons[0]] }, fallback: 'poll' },
      },
      'interactive.fallback',
      /one option is no poll/,
    ],
    [
      'a poll with a long question',
      { type: 'interactive', interactive: { ...button, body: { text: 'x'.repeat(256) }, fallback: 'poll' } },
      'interactive.fallback',
      /more than 255/,
    ],
    ['a flow', { type: 'interactive', interactive: { type: 'flow' } }, 'interactive.type', /^must be button or list/],
  ])('is refused with what is wrong: %s', (_what, request, field, problem) => {
    const { code, fields } = refusalOf(request);

    expect(code).toBe('invalid_request');
    expect(Object.keys(fields)).toEqual([field]);
    expect(fields[field]).toMatch(typeof problem === 'string' ? new RegExp(`^${RegExp.escape(problem)}$`) : problem);
  });

  it.each<[string, object, string]>([
    ['a template', { type: 'template', template: { name: 'x', language: { code: 'en' } } }, 'type'],
    ['a live location', { type: 'live_location', live_location: { latitude: 1, longitude: 1 } }, 'type'],
    ['buttons', { type: 'interactive', interactive: button }, 'interactive.fallback'],
    ['a list', { type: 'interactive', interactive: list }, 'interactive.fallback'],
    ['a request for a place', { type: 'interactive', interactive: place }, 'interactive.fallback'],
  ])('is refused, with what to do instead, where WhatsApp would show it to nobody: %s', (_what, request, field) => {
    const { code, fields } = refusalOf(request);

    expect(code).toBe('not_possible_on_linked_devices');
    expect(fields[field]).toMatch(/linked device.*\. (Send|Give) /);
  });
});
