import { isStatus } from '../kernel/jid.ts';

/** The kinds of chats in which messages come. Status updates are broadcasts to `status@broadcast`. */
export const chatKinds = ['people', 'groups', 'statusUpdates', 'newsletters', 'broadcasts'] as const;
export type ChatKind = (typeof chatKinds)[number];

/** The kind of a chat, by its address. */
export function chatKindOf(chat: string): ChatKind {
  if (isStatus(chat)) return 'statusUpdates';
  if (chat.endsWith('@broadcast')) return 'broadcasts';
  if (chat.endsWith('@newsletter')) return 'newsletters';
  return chat.endsWith('@g.us') ? 'groups' : 'people';
}
