import type { StanzaJson } from '../whatsapp/rawRoutes.ts';

/**
 * Every kind of stanza that a client hears, as a contact may send it, and what may be wrong with each of its attributes. Left
 * out is `server_sync`, by which the server has a client fetch the state of its apps: no contact causes one, and the
 * simulator has none to give.
 */
const inner = (
  tag: string,
  attrs: Readonly<Record<string, string>> = {},
  content?: StanzaJson['content'],
): StanzaJson => (content === undefined ? { tag, attrs } : { tag, attrs, content });
const bytes = (text: string): { readonly base64: string } => ({ base64: Buffer.from(text).toString('base64') });

const TIME = '1790000000';
const SOMEBODY = '904200000015194@lid';

const receiptTypes = 'read played read-self played-self sender inactive hist_sync peer_msg server-error view nonsense';
const receipts = ['', ...receiptTypes.split(' ')].map((type) =>
  inner('receipt', { id: 'R', t: TIME, ...(type === '' ? {} : { type }) }, [
    inner('list', {}, [inner('item', { id: 'LISTED' }), inner('item')]),
  ]),
);
const retries = [
  inner('receipt', { id: 'R', t: TIME, type: 'retry' }, [
    inner('retry', { count: '1', id: 'R', t: TIME, v: '1', error: '7' }),
    inner('registration', {}, bytes('reg!')),
  ]),
  inner('receipt', { id: 'R', type: 'retry' }, [inner('keys', {}, [inner('identity', {}, bytes('short'))])]),
  inner('receipt', { id: 'R', type: 'retry' }),
];

const groupChanges =
  'create ephemeral not_ephemeral modify promote demote remove add leave subject description announcement locked invite member_add_mode membership_approval_mode created_membership_requests revoked_membership_requests nonsense';
const notificationBodies: readonly (readonly [type: string, ...content: StanzaJson[]])[] = [
  ...groupChanges
    .split(' ')
    .map((change): readonly [string, StanzaJson] => [
      'w:gp2',
      inner(change, { id: '1', subject: 'x', expiration: '9' }, [
        inner('participant', { jid: SOMEBODY, type: 'admin' }),
      ]),
    ]),
  ['newsletter', inner('reaction', { message_id: '1', code: 'x' })],
  ['newsletter', inner('update', {}, [inner('settings', {}, [inner('name', {}, 'x')])])],
  ['mex', inner('update', { op_name: 'NotificationNewsletterUpdate' }, '{"data":')],
  [
    'mediaretry',
    inner('encrypt', {}, [inner('enc_p', {}, bytes('p')), inner('enc_iv', {}, bytes('iv'))]),
    inner('rmr', { jid: SOMEBODY }),
  ],
  ['encrypt', inner('count', { value: '3' })],
  ['encrypt', inner('identity')],
  [
    'devices',
    inner('add', {}, [inner('device', { jid: SOMEBODY, 'key-index': '1' }), inner('key-index-list', { ts: '1' })]),
  ],
  ['devices', inner('remove', {}, [inner('device', { jid: SOMEBODY })])],
  ['devices', inner('update', { hash: 'x' })],
  ['picture', inner('set', { id: '1', author: SOMEBODY })],
  ['picture', inner('delete', { jid: SOMEBODY })],
  ['account_sync', inner('disappearing_mode', { duration: '9', t: TIME })],
  ['account_sync', inner('blocklist', {}, [inner('item', { jid: SOMEBODY, action: 'block' })])],
  ['account_sync', inner('devices', { dhash: 'x' }, [inner('device', { jid: SOMEBODY })])],
  [
    'link_code_companion_reg',
    inner('link_code_companion_reg', { stage: 'x' }, [inner('link_code_pairing_ref', {}, bytes('x'))]),
  ],
  ['link_code_companion_reg'],
  [
    'privacy_token',
    inner('tokens', {}, [inner('token', { jid: SOMEBODY, t: TIME, type: 'trusted_contact' }, bytes('x'))]),
  ],
  ['status', inner('set', {}, 'x')],
  ['psa'],
  ['nonsense', inner('nonsense', { nonsense: 'x' })],
];
const notifications = notificationBodies.map(([type, ...content]) =>
  inner('notification', { id: 'N', t: TIME, type }, content),
);

const callAttrs = {
  'call-id': 'C',
  'call-creator': SOMEBODY,
  reason: 'x',
  'group-jid': '1@g.us',
  caller_pn: 'x@s.whatsapp.net',
};
/** The offers that become events for the tenant. */
export const OFFERS: readonly string[] = ['offer', 'offer_notice'];
const calls = [
  ...OFFERS,
  'preaccept',
  'accept',
  'reject',
  'terminate',
  'timeout',
  'transport',
  'relaylatency',
  'nonsense',
].map((tag) =>
  inner('call', { id: 'K', t: TIME, e: '0' }, [inner(tag, callAttrs, [inner('audio', { rate: 'x' }), inner('video')])]),
);

const messageAttrs = {
  id: 'M',
  t: TIME,
  type: 'text',
  notify: 'x',
  category: 'x',
  edit: '1',
  addressing_mode: 'lid',
  count: '1',
};
const messages = [
  undefined,
  [inner('unavailable', { type: 'view_once' })],
  [inner('enc', { v: '2', type: 'msg', count: '1' }, bytes('not sealed'))],
  [inner('enc', { v: '2', type: 'pkmsg' })],
  [inner('enc', { v: '9', type: 'skmsg' }, bytes('not sealed'))],
  [inner('enc', { v: '2', type: 'nonsense' }, bytes('not sealed'))],
  [inner('plaintext', {}, bytes('not sealed'))],
  [inner('device-identity', {}, bytes('x')), inner('participants', {}, [inner('to', { jid: SOMEBODY })])],
].map((content) => inner('message', messageAttrs, content));

const others = [
  ...['message', 'receipt', 'notification', 'call', 'nonsense'].map((acked) =>
    inner('ack', { id: 'A', class: acked, t: TIME, error: '479', phash: 'x', type: 'x' }),
  ),
  inner('ib', {}, [inner('dirty', { type: 'groups', timestamp: TIME })]),
  inner('ib', {}, [inner('dirty', { type: 'account_sync', timestamp: TIME })]),
  inner('ib', {}, [inner('dirty', { type: 'communities', timestamp: TIME })]),
  inner('ib', {}, [inner('offline', { count: '1' })]),
  inner('ib', {}, [inner('thread_metadata', {}, [inner('item', { jid: SOMEBODY })])]),
  inner('ib', {}, [inner('nonsense')]),
  inner('presence', { type: 'available', last: TIME }),
  inner('presence', { type: 'unavailable', last: 'deny' }),
  inner('chatstate', {}, [inner('composing', { media: 'audio' })]),
  inner('chatstate', {}, [inner('nonsense')]),
  inner('chatstate'),
  inner('nonsense', { id: 'X', type: 'x' }, [inner('nonsense')]),
];

export const stanzaKinds: Readonly<Record<string, readonly StanzaJson[]>> = {
  messages,
  receipts: [...receipts, ...retries],
  notifications,
  calls,
  'all others': others,
};

const HUGE = 20_000;
/** What stands in an attribute in place of what should; undefined leaves it out. */
const WRONG: Readonly<Record<string, string | undefined>> = {
  missing: undefined,
  huge: 'h'.repeat(HUGE),
  'of another type': '-1e99',
  'an address': '4915100000002:7@s.whatsapp.net',
  'not ASCII': '\u{1f600}\u0000\uffff\u202e\u0915',
};

/** A stanza as it is, and each one that has something wrong with one of its attributes, at whatever depth. */
export function variantsOf(stanza: StanzaJson): readonly StanzaJson[] {
  return [stanza, ...wrongOnes(stanza)];
}

function wrongOnes(stanza: StanzaJson): readonly StanzaJson[] {
  const own = Object.keys(stanza.attrs ?? {}).flatMap((name) =>
    Object.values(WRONG).map((value): StanzaJson => {
      const { [name]: _, ...rest } = stanza.attrs ?? {};
      return { ...stanza, attrs: value === undefined ? rest : { ...rest, [name]: value } };
    }),
  );
  const { content } = stanza;
  if (!isList(content)) return own;
  const below = content.flatMap((child, index) =>
    wrongOnes(child).map((wrong) => ({ ...stanza, content: content.map((each, at) => (at === index ? wrong : each)) })),
  );
  return [...own, ...below];
}

function isList(content: StanzaJson['content']): content is readonly StanzaJson[] {
  return Array.isArray(content);
}
