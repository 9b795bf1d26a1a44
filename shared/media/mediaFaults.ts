import type { FileFault } from './sealedFile.ts';

interface FaultRule {
  readonly sentence: string;
  /** How it is counted: `MediaFetched`. */
  readonly outcome: 'gone' | 'phone_offline' | 'unreachable' | 'broken';
}

/** The reasons for which a file of a message is not here, and what to do. */
export const mediaFaults = {
  gone: {
    sentence: 'WhatsApp no longer has the file, nor has the phone of the account. Whoever has it can send it again.',
    outcome: 'gone',
  },
  phone_offline: {
    sentence:
      'WhatsApp no longer has the file, and the phone of the account, which may have it, did not answer. Ask for it again when the phone is on.',
    outcome: 'phone_offline',
  },
  unreachable: {
    sentence: "WhatsApp's hosts did not give the file, however often it was asked for. Ask for it again later.",
    outcome: 'unreachable',
  },
  not_allowed: {
    sentence: "The message names a place for the file that is none of WhatsApp's.",
    outcome: 'broken',
  },
  no_place: { sentence: 'The message does not say where the file lies.', outcome: 'broken' },
  mac_differs: { sentence: 'The bytes of the file are not those that its sender sealed.', outcome: 'broken' },
  hash_differs: { sentence: 'The file is not the one that its sender describes.', outcome: 'broken' },
  too_short: { sentence: 'The file ends before it should.', outcome: 'broken' },
  key_unusable: { sentence: 'The message has no usable key for the file.', outcome: 'broken' },
  too_large: { sentence: 'The file is larger than 2 GiB, the most that WhatsApp sends.', outcome: 'broken' },
  not_a_picture: {
    sentence: "What WhatsApp's host gave is no JPEG of at most 5 MB, as pictures of people and groups are.",
    outcome: 'broken',
  },
  link_not_allowed: {
    sentence: 'The link leads to an address that is not public, or is no link that begins with https://.',
    outcome: 'broken',
  },
  link_refused: {
    sentence:
      'The host of the link does not give the file. It must answer 200 to a request without a login, with the bytes as they are.',
    outcome: 'broken',
  },
  link_too_large: { sentence: 'The link leads to more than 2 GiB, the most that WhatsApp sends.', outcome: 'broken' },
  link_unreachable: {
    sentence: 'The host of the link did not answer, or not to the end, in four tries. Send the message again later.',
    outcome: 'unreachable',
  },
} as const satisfies Readonly<
  Record<
    LinkFault | FileFault | 'gone' | 'phone_offline' | 'unreachable' | 'not_allowed' | 'no_place' | 'not_a_picture',
    FaultRule
  >
>;
/** The reasons for which a link gave no file. */
type LinkFault = 'link_not_allowed' | 'link_refused' | 'link_too_large' | 'link_unreachable';
export type MediaFault = keyof typeof mediaFaults;
