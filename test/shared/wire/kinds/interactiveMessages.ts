import { proto } from '@whiskeysockets/baileys';
import type { Golden } from '../golden.ts';

const KEY = Buffer.alloc(32, 7);
const stored = { mimetype: 'image/jpeg', fileLength: 9, mediaKey: KEY, directPath: '/p' };
const image = { mime_type: 'image/jpeg', bytes: 9 };
const kept = (part: string) => ({
  use: 'image',
  part,
  key: KEY.toString('base64'),
  path: '/p',
  bytes: 9,
  mime_type: 'image/jpeg',
});
const told = (type: string, body: object, more: object = {}) => ({
  content: { type, [type]: body },
  flags: [],
  ...more,
});
const native = (name: string, params: object | string) => ({
  name,
  buttonParamsJson: typeof params === 'string' ? params : JSON.stringify(params),
});
const { ButtonsMessage } = proto.Message;
const yes = { type: 'reply', reply: { id: 'yes', title: 'Yes' } };

/** What can be chosen. */
export const offers: readonly Golden[] = [
  [
    'buttons under a picture',
    {
      buttonsMessage: {
        imageMessage: stored,
        contentText: 'Today?',
        footerText: 'Acme',
        headerType: ButtonsMessage.HeaderType.IMAGE,
        buttons: [{ buttonId: 'yes', buttonText: { displayText: 'Yes' }, type: 1 }],
        contextInfo: { stanzaId: 'BEFORE' },
      },
    },
    told(
      'interactive',
      {
        type: 'button',
        header: { type: 'image', image },
        body: { text: 'Today?' },
        footer: { text: 'Acme' },
        action: { buttons: [yes] },
      },
      { files: [kept('header')], context: { replyTo: { stanzaId: 'BEFORE' } } },
    ),
  ],
  [
    'buttons under words, one of a native flow',
    {
      buttonsMessage: {
        text: 'Order 2041',
        contentText: 'Today?',
        buttons: [
          {
            buttonId: 'x',
            type: 2,
            nativeFlowInfo: { name: 'quick_reply', paramsJson: '{"id":"yes","display_text":"Yes"}' },
          },
        ],
      },
    },
    told('interactive', {
      type: 'button',
      header: { type: 'text', text: 'Order 2041' },
      body: { text: 'Today?' },
      action: { buttons: [yes] },
    }),
  ],
  [
    'a list',
    {
      listMessage: {
        title: 'Times',
        description: 'When?',
        buttonText: 'Choose',
        footerText: 'Acme',
        listType: 1,
        sections: [{ title: 'Monday', rows: [{ rowId: 'mon-9', title: '9:00', description: 'early' }] }],
        contextInfo: { expiration: 60 },
      },
    },
    told(
      'interactive',
      {
        type: 'list',
        header: { type: 'text', text: 'Times' },
        body: { text: 'When?' },
        footer: { text: 'Acme' },
        action: {
          button: 'Choose',
          sections: [{ title: 'Monday', rows: [{ id: 'mon-9', title: '9:00', description: 'early' }] }],
        },
      },
      { context: { expiresIn: 60 } },
    ),
  ],
  [
    'a list of products',
    {
      listMessage: {
        description: 'Ours',
        listType: 2,
        productListInfo: { productSections: [{ title: 'Hats', products: [{ productId: 'hat-1' }] }] },
      },
    },
    told('interactive', {
      type: 'product_list',
      body: { text: 'Ours' },
      action: { sections: [{ title: 'Hats', product_items: [{ product_retailer_id: 'hat-1' }] }] },
    }),
  ],
  [
    'a native flow with answers',
    {
      interactiveMessage: {
        header: { title: 'Hello', subtitle: 'again' },
        body: { text: 'Today?' },
        footer: { text: 'Acme' },
        nativeFlowMessage: { buttons: [native('quick_reply', { display_text: 'Yes', id: 'yes' })] },
        contextInfo: { forwardingScore: 2 },
      },
    },
    told(
      'interactive',
      {
        type: 'button',
        header: { type: 'text', text: 'Hello', subtitle: 'again' },
        body: { text: 'Today?' },
        footer: { text: 'Acme' },
        action: { buttons: [yes] },
      },
      { context: { forwarded: 2 } },
    ),
  ],
  [
    'a native flow with a list',
    {
      interactiveMessage: {
        body: { text: 'When?' },
        nativeFlowMessage: {
          buttons: [
            native('single_select', {
              title: 'Choose',
              sections: [
                { title: 'Monday', rows: [{ id: 'mon-9', title: '9:00', description: 'early', header: 'x' }] },
              ],
            }),
          ],
        },
      },
    },
    told('interactive', {
      type: 'list',
      body: { text: 'When?' },
      action: {
        button: 'Choose',
        sections: [{ title: 'Monday', rows: [{ id: 'mon-9', title: '9:00', description: 'early' }] }],
      },
    }),
  ],
  [
    'a native flow with a link alone',
    {
      interactiveMessage: {
        nativeFlowMessage: { buttons: [native('cta_url', { display_text: 'See', url: 'https://acme.example' })] },
      },
    },
    told('interactive', {
      type: 'cta_url',
      action: { name: 'cta_url', parameters: { display_text: 'See', url: 'https://acme.example' } },
    }),
  ],
  [
    'a native flow with what has no form here, and with nonsense',
    {
      interactiveMessage: {
        nativeFlowMessage: {
          buttons: [
            native('cta_copy', { display_text: 'Copy', copy_code: 'A1' }),
            native('cta_call', { display_text: 'Call', phone_number: '+49' }),
            native('review_and_pay', '{"currency":"BRL"}'),
            native('quick_reply', 'no JSON'),
            native('quick_reply', '[1,{"id":2}]'),
            native('quick_reply', 'null'),
          ],
        },
      },
    },
    told('interactive', {
      type: 'native_flow',
      action: {
        buttons: [
          { type: 'copy_code', parameters: { display_text: 'Copy', code: 'A1' } },
          { type: 'cta_call', parameters: { display_text: 'Call', phone_number: '+49' } },
          { type: 'review_and_pay', parameters: { json: '{"currency":"BRL"}' } },
          { type: 'reply', reply: { id: '', title: '' } },
          { type: 'reply', reply: { id: '', title: '' } },
          { type: 'reply', reply: { id: '', title: '' } },
        ],
      },
    }),
  ],
  [
    'a carousel',
    {
      interactiveMessage: {
        body: { text: 'Ours' },
        carouselMessage: {
          cards: [
            {
              header: { imageMessage: stored },
              body: { text: 'Hat' },
              nativeFlowMessage: { buttons: [native('quick_reply', { display_text: 'Yes', id: 'yes' })] },
            },
            { header: { imageMessage: stored }, footer: { text: 'last' } },
          ],
        },
      },
    },
    told(
      'interactive',
      {
        type: 'carousel',
        body: { text: 'Ours' },
        action: {
          cards: [
            { header: { type: 'image', image }, body: { text: 'Hat' }, action: { buttons: [yes] } },
            { header: { type: 'image', image }, footer: { text: 'last' } },
          ],
        },
      },
      { files: [kept('cards.0.header'), kept('cards.1.header')] },
    ),
  ],
  [
    'a shop and a product in the head',
    {
      interactiveMessage: {
        header: { title: 'Shop', productMessage: { product: { productId: '1', title: 'Hat', retailerId: 'hat-1' } } },
        shopStorefrontMessage: { id: 'shop-1' },
      },
    },
    told('interactive', {
      type: 'shop',
      header: { type: 'product', text: 'Shop', product: { id: '1', title: 'Hat', retailer_id: 'hat-1' } },
      action: { id: 'shop-1' },
    }),
  ],
  [
    'a collection, with a place in the head',
    {
      interactiveMessage: {
        header: { locationMessage: { degreesLatitude: 1.5, degreesLongitude: -2.5, name: 'Here' } },
        collectionMessage: { id: 'all' },
      },
    },
    told('interactive', {
      type: 'collection',
      header: { type: 'location', location: { latitude: 1.5, longitude: -2.5, name: 'Here' } },
      action: { id: 'all' },
    }),
  ],
  ['an offer of nothing', { interactiveMessage: {} }, told('interactive', { type: 'button' })],
  [
    'a template',
    {
      templateMessage: {
        contextInfo: { expiration: 60 },
        templateId: '594',
        hydratedTemplate: {
          imageMessage: stored,
          hydratedContentText: 'Order 2041 has left.',
          hydratedFooterText: 'Acme',
          hydratedButtons: [
            { index: 0, quickReplyButton: { displayText: 'Yes', id: 'yes' } },
            { index: 1, urlButton: { displayText: 'See', url: 'https://acme.example' } },
            { index: 2, callButton: { displayText: 'Call', phoneNumber: '+49' } },
          ],
        },
      },
    },
    told(
      'template',
      {
        id: '594',
        header: { type: 'image', image },
        body: { text: 'Order 2041 has left.' },
        footer: { text: 'Acme' },
        action: {
          buttons: [
            yes,
            { type: 'cta_url', parameters: { display_text: 'See', url: 'https://acme.example' } },
            { type: 'cta_call', parameters: { display_text: 'Call', phone_number: '+49' } },
          ],
        },
      },
      { files: [kept('header')], context: { expiresIn: 60 } },
    ),
  ],
  [
    'a template with an offer in it',
    {
      templateMessage: {
        interactiveMessageTemplate: {
          body: { text: 'Today?' },
          nativeFlowMessage: { buttons: [native('quick_reply', { display_text: 'Yes', id: 'yes' })] },
        },
      },
    },
    told('template', { body: { text: 'Today?' }, action: { buttons: [yes] } }),
  ],
  [
    'a template of four rows',
    {
      templateMessage: {
        fourRowTemplate: {
          content: { namespace: 'ns', elementName: 'order_left', params: ['2041'] },
          buttons: [{ index: 0, quickReplyButton: { id: 'yes' } }],
        },
      },
    },
    told('template', {
      namespace: 'ns',
      name: 'order_left',
      parameters: ['2041'],
      action: { buttons: [{ type: 'reply', reply: { id: 'yes', title: '' } }] },
    }),
  ],
  [
    'a template by its name',
    {
      highlyStructuredMessage: {
        namespace: 'ns',
        elementName: 'order_left',
        localizableParams: [{ default: '2041' }],
        hydratedHsm: { hydratedTemplate: { hydratedContentText: 'Order 2041 has left.' } },
      },
    },
    told('template', {
      namespace: 'ns',
      name: 'order_left',
      parameters: ['2041'],
      body: { text: 'Order 2041 has left.' },
    }),
  ],
];

const answer = (name: string, params: string, body?: string): proto.IMessage => ({
  interactiveResponseMessage: {
    ...(body === undefined ? {} : { body: { text: body } }),
    contextInfo: { stanzaId: 'OFFER' },
    nativeFlowResponseMessage: { name, paramsJson: params, version: 3 },
  },
});
const toOffer = { context: { replyTo: { stanzaId: 'OFFER' } } };
/** What was chosen. */
export const choices: readonly Golden[] = [
  [
    'a button',
    {
      buttonsResponseMessage: {
        selectedButtonId: 'yes',
        selectedDisplayText: 'Yes',
        type: 1,
        contextInfo: { stanzaId: 'OFFER', participant: '4915100000001:3@s.whatsapp.net' },
      },
    },
    told(
      'interactive',
      { type: 'button_reply', button_reply: { id: 'yes', title: 'Yes' } },
      { context: { replyTo: { stanzaId: 'OFFER', sender: '4915100000001@s.whatsapp.net' } } },
    ),
  ],
  [
    'a row of a list',
    {
      listResponseMessage: {
        title: '9:00',
        description: 'early',
        listType: 1,
        singleSelectReply: { selectedRowId: 'mon-9' },
        contextInfo: { stanzaId: 'OFFER' },
      },
    },
    told(
      'interactive',
      { type: 'list_reply', list_reply: { id: 'mon-9', title: '9:00', description: 'early' } },
      toOffer,
    ),
  ],
  [
    'a button of a template',
    {
      templateButtonReplyMessage: {
        selectedId: 'yes',
        selectedDisplayText: 'Yes',
        selectedIndex: 1,
        selectedCarouselCardIndex: 2,
        contextInfo: { stanzaId: 'OFFER' },
      },
    },
    told('button', { payload: 'yes', text: 'Yes', index: 1, card: 2 }, toOffer),
  ],
  [
    'an answer of a native flow',
    answer('quick_reply', '{"id":"yes"}', 'Yes'),
    told('interactive', { type: 'button_reply', button_reply: { id: 'yes', title: 'Yes' } }, toOffer),
  ],
  [
    'a row of the list of a native flow',
    answer('menu_options', '{"id":"mon-9","description":"early"}', '9:00'),
    told(
      'interactive',
      { type: 'list_reply', list_reply: { id: 'mon-9', title: '9:00', description: 'early' } },
      toOffer,
    ),
  ],
  [
    'a form that was filled in',
    answer('flow', '{"flow_token":"t","name":"Ada"}', 'Sent'),
    told(
      'interactive',
      {
        type: 'nfm_reply',
        nfm_reply: { name: 'flow', body: 'Sent', response_json: '{"flow_token":"t","name":"Ada"}' },
      },
      toOffer,
    ),
  ],
  [
    'an answer without an id',
    answer('quick_reply', 'no JSON', 'Yes'),
    told(
      'interactive',
      { type: 'nfm_reply', nfm_reply: { name: 'quick_reply', body: 'Yes', response_json: 'no JSON' } },
      toOffer,
    ),
  ],
];
