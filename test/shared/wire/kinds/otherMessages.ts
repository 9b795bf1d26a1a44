import { field, numberField, type Golden } from '../golden.ts';

const KEY = Buffer.alloc(32, 7);
const BEN = '4915100000002@s.whatsapp.net';
const told = (type: string, body: object, more: object = {}) => ({
  content: { type, [type]: body },
  flags: [],
  ...more,
});
const about = { original: { stanzaId: 'ORIGINAL', byWriter: false, sender: BEN } };
/** The key of another message. */
const key = { id: 'ORIGINAL', remoteJid: '120363@g.us', participant: '4915100000002:7@s.whatsapp.net' };
const context = { context: { expiresIn: 60 } };
const contextInfo = { expiration: 60 };
const day = Date.UTC(2026, 11, 24, 18) / 1_000;
const DAY = '2026-12-24T18:00:00.000Z';
const picture = { mimetype: 'image/jpeg', fileLength: 9, mediaKey: KEY, directPath: '/p' };
const kept = (part: string, more: object = {}) => ({
  use: 'image',
  part,
  key: KEY.toString('base64'),
  path: '/p',
  bytes: 9,
  mime_type: 'image/jpeg',
  ...more,
});

/** What is bought and paid. */
export const trade: readonly Golden[] = [
  [
    'a product',
    {
      productMessage: {
        product: {
          productImage: picture,
          productId: '1',
          title: 'Hat',
          description: 'A hat',
          currencyCode: 'EUR',
          priceAmount1000: 24_900,
          retailerId: 'hat-1',
          url: 'https://acme.example/hat',
          productImageCount: 2,
          salePriceAmount1000: 19_900,
        },
        businessOwnerJid: BEN,
        catalog: { title: 'All', description: 'ours' },
        body: 'See',
        footer: 'Acme',
        contextInfo,
      },
    },
    told(
      'product',
      {
        id: '1',
        retailer_id: 'hat-1',
        seller: BEN,
        title: 'Hat',
        price: { value: 24_900, offset: 1_000, currency: 'EUR' },
        sale_price: { value: 19_900, offset: 1_000, currency: 'EUR' },
        url: 'https://acme.example/hat',
        images: 2,
        image: { mime_type: 'image/jpeg', bytes: 9 },
        catalog: { title: 'All', description: 'ours' },
        body: 'See',
        footer: 'Acme',
        description: 'A hat',
      },
      { ...context, files: [kept('image')] },
    ),
  ],
  [
    'an order',
    {
      orderMessage: {
        orderId: '55',
        token: 'AR5',
        itemCount: 2,
        status: 2,
        message: 'By Friday',
        orderTitle: 'Hats',
        sellerJid: BEN,
        totalAmount1000: 49_800,
        totalCurrencyCode: 'EUR',
        orderRequestMessageId: key,
        contextInfo,
      },
    },
    told(
      'order',
      {
        id: '55',
        token: 'AR5',
        seller: BEN,
        items: 2,
        total: { value: 49_800, offset: 1_000, currency: 'EUR' },
        status: 'accepted',
        title: 'Hats',
        text: 'By Friday',
      },
      { ...context, ...about },
    ),
  ],
  [
    'money that was sent',
    {
      sendPaymentMessage: {
        noteMessage: { extendedTextMessage: { text: 'For dinner' } },
        requestMessageKey: key,
        transactionData: '{"id":1}',
      },
    },
    told('payment', { kind: 'sent', note: 'For dinner', transaction_data: '{"id":1}' }, about),
  ],
  [
    'money that is asked for',
    {
      requestPaymentMessage: {
        noteMessage: { conversation: 'For dinner' },
        currencyCodeIso4217: 'BRL',
        amount1000: 12_500,
        requestFrom: BEN,
        expiryTimestamp: day,
      },
    },
    told('payment', {
      kind: 'requested',
      amount: { value: 12_500, offset: 1_000, currency: 'BRL' },
      from: BEN,
      expires_at: DAY,
      note: 'For dinner',
    }),
  ],
  [
    'money that is asked for, in the newer form',
    { requestPaymentMessage: { amount1000: 1, amount: { value: 125, offset: 100, currencyCode: 'BRL' } } },
    told('payment', { kind: 'requested', amount: { value: 125, offset: 100, currency: 'BRL' } }),
  ],
  [
    'a request that is declined',
    { declinePaymentRequestMessage: { key } },
    told('payment', { kind: 'declined' }, about),
  ],
  [
    'a request that is taken back',
    { cancelPaymentRequestMessage: { key } },
    told('payment', { kind: 'cancelled' }, about),
  ],
  [
    'an invitation to a way of paying',
    { paymentInviteMessage: { serviceType: 3, expiryTimestamp: day } },
    told('payment', { kind: 'invited', service: 'upi', expires_at: DAY }),
  ],
  [
    'an invoice',
    {
      invoiceMessage: {
        note: 'March',
        token: 't',
        attachmentType: 1,
        attachmentMimetype: 'application/pdf',
        attachmentMediaKey: KEY,
        attachmentDirectPath: '/p',
      },
    },
    told(
      'payment',
      { kind: 'invoice', note: 'March', token: 't', file: { mime_type: 'application/pdf' } },
      { files: [kept('file', { use: 'document', bytes: undefined, mime_type: 'application/pdf' })] },
    ),
  ],
  [
    'a reminder to pay',
    field(
      124,
      Buffer.concat([
        field(1, 'rem-1'),
        field(3, 'Rent'),
        numberField(4, 3),
        numberField(5, 1),
        field(7, BEN),
        field(8, '4915100000003:2@s.whatsapp.net'),
        field(9, Buffer.concat([numberField(1, 500), numberField(2, 1), field(3, 'INR')])),
      ]),
    ),
    told('payment', {
      kind: 'reminder',
      id: 'rem-1',
      amount: { value: 500, offset: 1, currency: 'INR' },
      from: '4915100000003@s.whatsapp.net',
      to: BEN,
      frequency: 'monthly',
      status: 'active',
      note: 'Rent',
    }),
  ],
  [
    'a bill that is shared',
    field(
      125,
      Buffer.concat([
        field(1, 'split-1'),
        field(2, Buffer.concat([numberField(1, 900), numberField(2, 1), field(3, 'INR')])),
        field(3, 'Dinner'),
        field(4, BEN),
        field(5, Buffer.concat([field(1, BEN), field(2, numberField(1, 450)), numberField(3, 1)])),
        field(17, numberField(25, 60)),
      ]),
    ),
    told(
      'payment',
      {
        kind: 'split',
        id: 'split-1',
        amount: { value: 900, offset: 1, currency: 'INR' },
        to: BEN,
        participants: [{ id: BEN, amount: { value: 450 }, status: 'paid' }],
        note: 'Dinner',
      },
      context,
    ),
  ],
  [
    'a share that was paid',
    field(128, Buffer.concat([field(1, 'split-1'), field(2, BEN)])),
    told('payment', { kind: 'split_update', id: 'split-1', participants: [{ id: BEN }] }),
  ],
];

/** What people meet for. */
export const meetings: readonly Golden[] = [
  [
    'an invitation to administer a channel',
    {
      newsletterAdminInviteMessage: {
        newsletterJid: '1@newsletter',
        newsletterName: 'News',
        caption: 'Come',
        inviteExpiration: day,
        contextInfo,
      },
    },
    told(
      'channel_invite',
      { channel_id: '1@newsletter', name: 'News', role: 'admin', expires_at: DAY, caption: 'Come' },
      context,
    ),
  ],
  [
    'an invitation to follow a channel',
    {
      newsletterFollowerInviteMessageV2: {
        newsletterJid: '1@newsletter',
        newsletterName: 'News',
        caption: 'Come',
        contextInfo,
      },
    },
    told('channel_invite', { channel_id: '1@newsletter', name: 'News', role: 'follower', caption: 'Come' }, context),
  ],
  [
    'a call in the list of calls',
    {
      callLogMesssage: {
        isVideo: true,
        callOutcome: 1,
        durationSecs: 0,
        callType: 2,
        participants: [{ jid: '4915100000002:7@s.whatsapp.net', callOutcome: 0 }],
      },
    },
    told('call_log', {
      outcome: 'missed',
      kind: 'voice_chat',
      video: true,
      duration: 0,
      participants: [{ id: BEN, outcome: 'connected' }],
    }),
  ],
  [
    'a call as a message',
    { call: { callKey: KEY, contextInfo } },
    told('call_log', { outcome: 'offered', kind: 'call' }, context),
  ],
  [
    'a call to many',
    { bcallMessage: { sessionId: 's', mediaType: 2, masterKey: KEY, caption: 'Live' } },
    told('call_log', { outcome: 'offered', kind: 'broadcast', video: true, caption: 'Live' }),
  ],
  [
    'a call that is planned',
    { scheduledCallCreationMessage: { scheduledTimestampMs: day * 1_000, callType: 2, title: 'Planning' } },
    told('scheduled_call', { starts_at: DAY, video: true, title: 'Planning' }),
  ],
  [
    'a call that is called off',
    { scheduledCallEditMessage: { key, editType: 1 } },
    told('scheduled_call', { canceled: true }, about),
  ],
  [
    'an invitation to an event',
    field(
      122,
      Buffer.concat([
        field(1, numberField(25, 60)),
        field(2, 'EVENT'),
        field(3, 'Party'),
        numberField(5, day),
        field(6, 'a hat'),
        numberField(7, 1),
        numberField(8, day),
        field(9, 'https://call.whatsapp.com/video/A'),
      ]),
    ),
    told(
      'event_invite',
      {
        event_id: 'EVENT',
        name: 'Party',
        starts_at: DAY,
        ends_at: DAY,
        call_link: 'https://call.whatsapp.com/video/A',
        canceled: true,
        caption: 'a hat',
      },
      context,
    ),
  ],
  [
    'the result of a poll',
    {
      pollResultSnapshotMessage: {
        name: 'Where to?',
        pollVotes: [
          { optionName: 'Sea', optionVoteCount: 3 },
          { optionName: 'Mountains', optionVoteCount: 0 },
        ],
        contextInfo,
      },
    },
    told(
      'poll_result',
      {
        name: 'Where to?',
        options: [
          { name: 'Sea', votes: 3 },
          { name: 'Mountains', votes: 0 },
        ],
      },
      context,
    ),
  ],
  [
    'the result of a quiz, in its newer field',
    field(
      115,
      Buffer.concat([field(1, '1+1?'), field(2, Buffer.concat([field(1, '2'), numberField(2, 5)])), numberField(4, 1)]),
    ),
    told('poll_result', { quiz: true, name: '1+1?', options: [{ name: '2', votes: 5 }] }),
  ],
];

const historyOf = { historyReceivers: ['1:2@lid'], oldestMessageTimestamp: day, messageCount: 80 };
/** What is said about something else. */
export const talk: readonly Golden[] = [
  [
    'a history that is shared',
    {
      messageHistoryBundle: {
        mimetype: 'application/x-protobuf',
        mediaKey: KEY,
        directPath: '/p',
        messageHistoryMetadata: historyOf,
        contextInfo,
      },
    },
    told(
      'history_shared',
      { messages: 80, oldest_at: DAY, bundle: true, receivers: ['1@lid'] },
      {
        ...context,
        files: [{ use: 'history', key: KEY.toString('base64'), path: '/p', mime_type: 'application/x-protobuf' }],
      },
    ),
  ],
  [
    'the news that a history was shared',
    { messageHistoryNotice: { messageHistoryMetadata: historyOf, contextInfo } },
    told('history_shared', { messages: 80, oldest_at: DAY, receivers: ['1@lid'] }, context),
  ],
  [
    'an answer of an assistant',
    {
      botForwardedMessage: {
        message: {
          richResponseMessage: {
            messageType: 1,
            submessages: [
              { messageType: 2, messageText: 'Sorted:' },
              {
                messageType: 5,
                codeMetadata: {
                  codeLanguage: 'python',
                  codeBlocks: [{ codeContent: 'sorted(' }, { codeContent: 'x)' }],
                },
              },
              { messageType: 4, tableMetadata: { title: 'T', rows: [{ items: ['a', 'b'], isHeading: true }] } },
              { messageType: 2, messageText: 'Done.' },
            ],
            contextInfo,
          },
        },
      },
    },
    {
      ...told(
        'ai_message',
        {
          text: 'Sorted:\nDone.',
          code: [{ language: 'python', text: 'sorted(x)' }],
          tables: [{ title: 'T', rows: [{ items: ['a', 'b'], heading: true }] }],
        },
        context,
      ),
      flags: ['botForwarded'],
    },
  ],
  [
    'an answer of an assistant that only its app can draw',
    { richResponseMessage: { unifiedResponse: { data: Buffer.from('{"sections":[]}') } } },
    told('ai_message', { data: '{"sections":[]}' }),
  ],
  [
    'a song',
    field(
      129,
      Buffer.concat([
        field(
          1,
          Buffer.concat([field(2, 'song'), field(3, 'Einaudi'), field(4, 'Nuvole bianche'), numberField(10, 1)]),
        ),
        field(2, 'https://music.example/1'),
        field(3, 'https://music.example/1.jpg'),
        field(5, numberField(25, 60)),
      ]),
    ),
    told(
      'music',
      {
        title: 'Nuvole bianche',
        artist: 'Einaudi',
        song_id: 'song',
        url: 'https://music.example/1',
        artwork_url: 'https://music.example/1.jpg',
        explicit: true,
      },
      context,
    ),
  ],
  [
    'a comment',
    { commentMessage: { message: { conversation: 'Count me in' }, targetMessageKey: key } },
    told('comment', { text: 'Count me in' }, about),
  ],
  [
    'a comment with a picture',
    { commentMessage: { message: { imageMessage: { caption: 'look' } }, targetMessageKey: key } },
    told('comment', { text: 'look' }, about),
  ],
  [
    'what somebody did with a status',
    { statusNotificationMessage: { originalMessageKey: key, responseMessageKey: { id: 'x' }, type: 2 } },
    told('status_notification', { kind: 'reshare' }, about),
  ],
  [
    'an answer to the question in a status',
    { statusQuestionAnswerMessage: { key, text: 'In summer' } },
    told('status_answer', { text: 'In summer' }, about),
  ],
  [
    'an answer to the question in a channel',
    { questionResponseMessage: { key, text: 'In summer' } },
    told('status_answer', { text: 'In summer' }, about),
  ],
  [
    'a status that quotes an answer',
    { statusQuotedMessage: { type: 1, text: 'In summer', originalStatusId: key } },
    told('status_quoted', { kind: 'question_answer', text: 'In summer' }, about),
  ],
  [
    'a sticker of a status that was touched',
    { statusStickerInteractionMessage: { key, stickerKey: 'heart', type: 1 } },
    told('status_sticker', { sticker: 'heart', reaction: true }, about),
  ],
  [
    'what is sealed until its time',
    field(120, Buffer.concat([field(1, KEY), field(2, 'iv'), numberField(3, 1), field(4, 'key-1')])),
    told('scheduled', { key_id: 'key-1' }),
  ],
  [
    'what was sealed until its time, called off',
    field(12, Buffer.concat([field(1, Buffer.concat([field(3, 'ORIGINAL'), field(4, BEN)])), numberField(2, 32)])),
    told('scheduled', { canceled: true }, about),
  ],
];
