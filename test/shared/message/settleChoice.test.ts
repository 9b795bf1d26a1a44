import { describe, expect, it } from 'vitest';
import { checkInput } from '../../../functions/http/checkInput.ts';
import { AppError } from '../../../shared/kernel/appError.ts';
import type { ConnectionId } from '../../../shared/kernel/id.ts';
import type { Message } from '../../../shared/message/message.ts';
import { onlyPossible, outboundMessageSchema, type OutboundMessage } from '../../../shared/message/outboundMessage.ts';
import { settleRequest } from '../../../shared/message/settleRequest.ts';

const ID = 'msg_01K3C5F7XQ8M2V4N6B9D0E1G3H';
const ANN = '4915100000002@s.whatsapp.net';
const [yes, no] = ['Yes', 'No'].map((title) => ({ type: 'reply', reply: { id: title.toLowerCase(), title } }));
const link = { type: 'cta_url', parameters: { display_text: 'Track', url: 'https://example.com' } };
const row = { id: 'mon-9', title: '9:00', description: 'early' };
const offers = {
  buttons: { type: 'interactive', interactive: { type: 'button', action: { buttons: [yes, no] } } },
  list: {
    type: 'interactive',
    interactive: { type: 'list', action: { sections: [{ rows: [{ id: 'x', title: 'X' }] }, { rows: [row] }] } },
  },
  template: { type: 'template', template: { action: { buttons: [link, yes, no] } } },
  flow: { type: 'interactive', interactive: { type: 'native_flow', action: { buttons: [yes] } } },
  cut: { type: 'interactive', interactive: { type: 'button', truncated: true, action: { buttons: [yes] } } },
  text: { type: 'text', text: { body: 'yes or no?' } },
} as const;

const choices = {
  button: { type: 'interactive', interactive: { type: 'button_reply', button_reply: { id: 'no' } } },
  row: { type: 'interactive', interactive: { type: 'list_reply', list_reply: { id: 'mon-9' } } },
  template: { type: 'button', button: { payload: 'no' } },
} as const;

const received = (offer: keyof typeof offers, more: object = {}): Message =>
  ({
    direction: 'in',
    messageId: ID,
    stanzaId: 'ONE',
    chat: ANN,
    sender: ANN,
    content: offers[offer],
    ...more,
  }) as unknown as Message;

async function choose(choice: object, original: Message | undefined): Promise<unknown> {
  const request = { to: '+49 151 00000002', context: { message_id: ID }, ...choice };
  const body = onlyPossible(checkInput(outboundMessageSchema, request, 'body') as OutboundMessage);
  const lookUp = { messages: { find: async () => original }, connectionId: 'con_1' as ConnectionId };
  const settled = await settleRequest(body, ANN, 0, lookUp);
  if (!(settled instanceof AppError)) return settled.content;
  return { code: settled.code, ...Object.fromEntries(settled.fields.map(({ field, problem }) => [field, problem])) };
}

describe('a choice of what somebody else offers', () => {
  it.each<[string, object, keyof typeof offers, object]>([
    [
      'a button',
      choices.button,
      'buttons',
      { type: 'interactive', interactive: { type: 'button_reply', button_reply: { id: 'no', title: 'No' } } },
    ],
    [
      'a row of a list',
      choices.row,
      'list',
      { type: 'interactive', interactive: { type: 'list_reply', list_reply: row } },
    ],
    [
      'a button of a template, with its place among all',
      choices.template,
      'template',
      { type: 'button', button: { payload: 'no', text: 'No', index: 2 } },
    ],
  ])('is sent with the words of that message: %s', async (_what, choice, offer, content) => {
    expect(await choose(choice, received(offer))).toEqual(content);
  });

  it('has the title of that message, whatever the request says', async () => {
    const named = {
      type: 'interactive',
      interactive: { type: 'button_reply', button_reply: { id: 'no', title: 'Maybe' } },
    };

    expect(await choose(named, received('buttons'))).toMatchObject({
      interactive: { button_reply: { title: 'No' } },
    });
  });

  it.each<[string, object, Message | undefined, object]>([
    [
      'no message is named',
      { ...choices.button, context: undefined },
      received('buttons'),
      { code: 'invalid_request', context: 'must name the message with the buttons or the list that it answers' },
    ],
    [
      'the message is not known',
      choices.button,
      undefined,
      { code: 'message_not_found', 'context.message_id': expect.any(String) },
    ],
    [
      'the id is none of its buttons',
      { type: 'interactive', interactive: { type: 'button_reply', button_reply: { id: 'No' } } },
      received('buttons'),
      { code: 'invalid_request', 'interactive.button_reply.id': 'is none of what can be chosen: yes, no' },
    ],
    [
      'a link of a template',
      { type: 'button', button: { payload: 'Track' } },
      received('template'),
      { code: 'invalid_request', 'button.payload': 'is none of what can be chosen: yes, no' },
    ],
    [
      'a list, as a button',
      choices.button,
      received('list'),
      { 'context.message_id': 'is answered with interactive.type list_reply' },
    ],
    [
      'a template, as a button',
      choices.button,
      received('template'),
      { 'context.message_id': 'is answered with type button' },
    ],
    [
      'a text',
      choices.button,
      received('text'),
      { 'context.message_id': 'is of type text, of which a linked device can choose nothing' },
    ],
    [
      'a native flow',
      choices.button,
      received('flow'),
      { 'context.message_id': 'is of type interactive, of which a linked device can choose nothing' },
    ],
    [
      'what was cut',
      choices.button,
      received('cut'),
      { 'context.message_id': 'was cut when it came, so that the ids of its options may not be whole' },
    ],
    [
      'our own',
      choices.button,
      received('buttons', { direction: 'out', to: ANN, state: 'sent' }),
      { 'context.message_id': 'is not what somebody else sent' },
    ],
    [
      'what was taken back',
      choices.button,
      received('buttons', { deletedAtMs: 1 }),
      { 'context.message_id': 'was taken back' },
    ],
  ])('is refused, and told why: %s', async (_what, choice, original, refusal) => {
    expect(await choose(choice, original)).toEqual({ code: 'act_not_possible', ...refusal });
  });
});
