import { scan, wireTypes } from './protobufFields.ts';

/** The number of the field that holds the type of a `protocolMessage`. */
const TYPE = 2;

/**
 * Messages between devices about messages, chats and accounts, type by type: either something that a person did, with
 * the name under which it is shown, or bookkeeping between devices, with the reason why nobody reads it. Names and
 * numbers are those of `ProtocolMessage.Type`, in the version of `messageFields`.
 */
type ProtocolType = { readonly told: string } | { readonly bookkeeping: string };

export const protocolTypes: Readonly<Record<number, ProtocolType>> = {
  0: { told: 'revoke' },
  3: { told: 'ephemeralSetting' },
  4: { bookkeeping: 'Answers a device that asked how long messages of a chat stay.' },
  5: { bookkeeping: 'Says where a part of the history lies, which Baileys fetches.' },
  6: { bookkeeping: 'Brings keys of the state that our own devices share.' },
  7: { bookkeeping: 'Asks our other devices for such keys.' },
  8: { bookkeeping: 'Asks our other devices for messages that one of them lacks.' },
  9: { bookkeeping: 'Brings a new device the setting of security notices.' },
  10: { bookkeeping: 'Says that the state which our own devices share is broken.' },
  11: { told: 'sharePhoneNumber' },
  14: { told: 'edit' },
  16: { bookkeeping: 'Asks our own phone for something.' },
  17: { bookkeeping: 'Is the answer of our own phone; the messages in it are told as their own.' },
  18: { told: 'requestWelcome' },
  19: { told: 'botFeedback' },
  20: { bookkeeping: 'Says where media lies whose message follows.' },
  21: { told: 'cloudApiThreadControl' },
  22: { bookkeeping: 'Brings our own devices both addresses of people.' },
  23: { told: 'reminder' },
  24: { told: 'botOnboarding' },
  25: { told: 'statusMention' },
  26: { told: 'stopGeneration' },
  27: { told: 'limitSharing' },
  28: { bookkeeping: 'Holds figures for a bot, which no person reads.' },
  29: { told: 'aiQueryFanout' },
  30: { told: 'groupMemberLabelChange' },
  31: { told: 'aiMediaCollection' },
  32: { told: 'messageUnschedule' },
  34: { told: 'chatThemeSetting' },
  35: { told: 'aiMetadataOperation' },
  36: { told: 'markAsVerified' },
  37: { bookkeeping: 'Keeps the app and the servers of a business at the same state.' },
};

/**
 * The name of a `protocolMessage` for tenants; a type that nobody knows yet is named by its number. Returns
 * `bookkeeping` for a type that is not for tenants, and `malformed` when the bytes are no message.
 */
export function readProtocol(
  bytes: Uint8Array,
): { readonly outcome: 'told'; readonly kind: string } | { readonly outcome: 'bookkeeping' | 'malformed' } {
  let type: number | undefined;
  const read = scan(bytes, ({ number, wireType, value }) => {
    if (number === TYPE && wireType === wireTypes.number) type = value;
  });
  if (read === 'malformed') return { outcome: 'malformed' };
  if (type === undefined) return { outcome: 'told', kind: 'protocol' };
  const known = protocolTypes[type];
  if (known === undefined) return { outcome: 'told', kind: `protocol_${type}` };
  return 'told' in known ? { outcome: 'told', kind: known.told } : { outcome: 'bookkeeping' };
}
