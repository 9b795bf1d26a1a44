/**
 * The fields of WhatsApp's `Message`, by number: one of them holds what a person wrote. The names are those of
 * 2.3000.1045601094, the version of the protocol in `@wppconnect/wa-proto` at that number. The protocol in Baileys is
 * older and lacks the fields from 115 on; loading the newer one beside it would take 50 MB of each worker process and a
 * quarter of a second at its start, for no more than these lines. Field 114 has no name here: Baileys gives it the name
 * that WhatsApp now gives 115.
 */
export const messageFields: Readonly<Record<number, string>> = {
  1: 'conversation',
  2: 'senderKeyDistributionMessage',
  3: 'imageMessage',
  4: 'contactMessage',
  5: 'locationMessage',
  6: 'extendedTextMessage',
  7: 'documentMessage',
  8: 'audioMessage',
  9: 'videoMessage',
  10: 'call',
  11: 'chat',
  12: 'protocolMessage',
  13: 'contactsArrayMessage',
  14: 'highlyStructuredMessage',
  15: 'fastRatchetKeySenderKeyDistributionMessage',
  16: 'sendPaymentMessage',
  18: 'liveLocationMessage',
  22: 'requestPaymentMessage',
  23: 'declinePaymentRequestMessage',
  24: 'cancelPaymentRequestMessage',
  25: 'templateMessage',
  26: 'stickerMessage',
  28: 'groupInviteMessage',
  29: 'templateButtonReplyMessage',
  30: 'productMessage',
  31: 'deviceSentMessage',
  35: 'messageContextInfo',
  36: 'listMessage',
  37: 'viewOnceMessage',
  38: 'orderMessage',
  39: 'listResponseMessage',
  40: 'ephemeralMessage',
  41: 'invoiceMessage',
  42: 'buttonsMessage',
  43: 'buttonsResponseMessage',
  44: 'paymentInviteMessage',
  45: 'interactiveMessage',
  46: 'reactionMessage',
  47: 'stickerSyncRmrMessage',
  48: 'interactiveResponseMessage',
  49: 'pollCreationMessage',
  50: 'pollUpdateMessage',
  51: 'keepInChatMessage',
  53: 'documentWithCaptionMessage',
  54: 'requestPhoneNumberMessage',
  55: 'viewOnceMessageV2',
  56: 'encReactionMessage',
  58: 'editedMessage',
  59: 'viewOnceMessageV2Extension',
  60: 'pollCreationMessageV2',
  61: 'scheduledCallCreationMessage',
  62: 'groupMentionedMessage',
  63: 'pinInChatMessage',
  64: 'pollCreationMessageV3',
  65: 'scheduledCallEditMessage',
  66: 'ptvMessage',
  67: 'botInvokeMessage',
  69: 'callLogMesssage',
  70: 'messageHistoryBundle',
  71: 'encCommentMessage',
  72: 'bcallMessage',
  74: 'lottieStickerMessage',
  75: 'eventMessage',
  76: 'encEventResponseMessage',
  77: 'commentMessage',
  78: 'newsletterAdminInviteMessage',
  80: 'placeholderMessage',
  82: 'secretEncryptedMessage',
  83: 'albumMessage',
  85: 'eventCoverImage',
  86: 'stickerPackMessage',
  87: 'statusMentionMessage',
  88: 'pollResultSnapshotMessage',
  90: 'pollCreationOptionImageMessage',
  91: 'associatedChildMessage',
  92: 'groupStatusMentionMessage',
  93: 'pollCreationMessageV4',
  95: 'statusAddYours',
  96: 'groupStatusMessage',
  97: 'richResponseMessage',
  98: 'statusNotificationMessage',
  99: 'limitSharingMessage',
  100: 'botTaskMessage',
  101: 'questionMessage',
  102: 'messageHistoryNotice',
  103: 'groupStatusMessageV2',
  104: 'botForwardedMessage',
  105: 'statusQuestionAnswerMessage',
  106: 'questionReplyMessage',
  107: 'questionResponseMessage',
  109: 'statusQuotedMessage',
  110: 'statusStickerInteractionMessage',
  111: 'pollCreationMessageV5',
  113: 'newsletterFollowerInviteMessageV2',
  115: 'pollResultSnapshotMessageV3',
  116: 'newsletterAdminProfileMessage',
  118: 'spoilerMessage',
  119: 'pollCreationMessageV6',
  120: 'conditionalRevealMessage',
  121: 'pollAddOptionMessage',
  122: 'eventInviteMessage',
  123: 'groupRootKeyShare',
  124: 'paymentReminderMessage',
  125: 'splitPaymentMessage',
  126: 'newsletterAdminProfileStatusMessage',
  127: 'rootSecretDistributeMessage',
  128: 'splitPaymentUpdateMessage',
  129: 'musicMessage',
  130: 'statusLinkPreviewMetadata',
  131: 'botPlatformRegistrationSuccessMessage',
};

/** The two fields that hold a text as such. */
export const CONVERSATION = 1;
export const EXTENDED_TEXT = 6;
/** The field of the text within an extended text. */
export const TEXT_OF_EXTENDED = 1;
/** The field with messages between devices about messages, in kinds of its own. */
export const PROTOCOL = 12;

/** The field in which a message of another device of our own account comes to us, with its chat. */
export const DEVICE_SENT = 31;

/** Fields that devices fill for each other, with the reason why nobody reads them. All others are shown. */
export const bookkeeping: Readonly<Record<number, string>> = {
  2: 'Brings the key of a sender in a group.',
  15: 'The same for a kind of key that no client uses any more.',
  35: 'Stands beside what was written: device lists, the secret that opens later votes and edits.',
  47: 'Tells our own devices which stickers are used.',
  123: 'Brings a key of a group.',
  127: 'Brings a secret of a group.',
};

export interface Wrapper {
  /** The flag of a message that came in it; undefined for none. */
  readonly flag: string | undefined;
  /** The number of the field within it that holds the message. */
  readonly inner: number;
  /** The numbers of its other fields, which hold nothing that a person wrote. */
  readonly others: readonly number[];
}

/** Every field of the type `FutureProofMessage`. */
const FUTURE_PROOF: readonly number[] = [
  37, 40, 53, 55, 58, 59, 62, 67, 74, 85, 87, 90, 91, 92, 93, 95, 96, 99, 100, 101, 103, 104, 106, 116, 118, 126, 131,
];

/** Fields that hold a message instead of being one. */
export const wrappers: ReadonlyMap<number, Wrapper> = new Map([
  [DEVICE_SENT, { flag: undefined, inner: 2, others: [1, 3] }],
  ...FUTURE_PROOF.map((number): [number, Wrapper] => [number, { flag: kindOf(number), inner: 1, others: [] }]),
]);

/** The name of a field for tenants: `callLogMesssage` is a `callLog`; `field_300` where it has no name. */
export function kindOf(number: number): string {
  return messageFields[number]?.replace(/Mess+age(V\d+)?(Extension)?$/, '') ?? `field_${number}`;
}
