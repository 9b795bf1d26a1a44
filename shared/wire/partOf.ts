import type { PartOf } from '../content/partOf.ts';
import type { MessageInfo } from './messageInfo.ts';

/** The types of association of the protocol, by number, in our words: two qualities of one thing are one word. */
const kinds: Readonly<Record<number, string>> = {
  1: 'album',
  2: 'bot_plugin',
  3: 'event_cover_image',
  4: 'status_poll',
  5: 'hd',
  6: 'status_reshare',
  7: 'media_poll',
  8: 'status_add_yours',
  9: 'status_notification',
  10: 'hd',
  11: 'sticker_annotation',
  12: 'motion_photo',
  13: 'status_link_action',
  14: 'view_all_replies',
  15: 'status_add_yours',
  16: 'status_question',
  17: 'status_add_yours',
  18: 'status_reaction',
  19: 'hd',
  20: 'poll_add_option',
};

/** The message that another one says it is a part of; undefined where it says none. */
export function readPartOf({ association }: MessageInfo): PartOf | undefined {
  const stanzaId = association?.parent?.stanzaId;
  if (association === undefined || stanzaId === undefined) return undefined;
  const { type = 0 } = association;
  return { kind: kinds[type] ?? `association_${type}`, stanzaId };
}
