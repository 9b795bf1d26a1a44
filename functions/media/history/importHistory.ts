import type { ChatStore } from '../../../shared/chat/chatStore.ts';
import { newChat } from '../../../shared/chat/planChat.ts';
import { afterHistory, type ToldOfChat } from '../../../shared/chat/pastChat.ts';
import { chatKindOf } from '../../../shared/connection/chatKind.ts';
import { numberOf } from '../../../shared/contact/contact.ts';
import {
  addCounts,
  keepsMessages,
  type HistoryCounts,
  type NoticeInHand,
} from '../../../shared/history/historyNotice.ts';
import type { NoticeStore } from '../../../shared/history/noticeStore.ts';
import { isLid, isPerson, withoutDevice } from '../../../shared/kernel/jid.ts';
import { isGroup } from '../../../shared/message/recipient.ts';
import type { Surroundings } from '../../../shared/platform/surroundings.ts';
import type { FileSource } from '../fileSource.ts';
import { HistoryFaultError } from './historyFault.ts';
import { notePeople, readPeople, type HistoryPeople, type NotePeopleParts } from './historyPeople.ts';
import { openHistory } from './openHistory.ts';
import { PastChatInHand, type PastChatParts } from './pastChatInHand.ts';
import { readHistory, type ChatFields } from './readHistory.ts';

export interface ImportParts extends NotePeopleParts, PastChatParts, Pick<Surroundings, 'clock'> {
  readonly source: Pick<FileSource, 'read'>;
  readonly notices: Pick<NoticeStore, 'advance'>;
  readonly chats: Pick<ChatStore, 'readFor' | 'write'>;
}

/** `lost`: somebody else takes it in, and has come further. */
export type Imported = 'done' | 'more' | 'lost';

/** How often a chat is written anew because somebody else has written it. */
const TRIES = 4;

/**
 * Takes in a part of a history, chat by chat, and writes down after each how far it has come.
 *
 * - *The process dies*: what comes next begins with the chat that was not done, and finds those of its messages that are there.
 * - *It happens twice, or two do it at once*: both write the same; the second to write down how far it has come is refused, and leaves the rest.
 * - *The host never answers, or the bytes swell*: deadlines and bounds of the source end it.
 *
 * @param isLate says whether somebody else should go on, as the time of this run is over
 */
export async function importHistory(
  parts: ImportParts,
  notice: NoticeInHand,
  { signal, isLate }: { readonly signal: AbortSignal; readonly isLate: () => boolean },
): Promise<Imported> {
  const opened = await openHistory(parts.source, notice.place, signal);
  try {
    const people = await readPeople(readHistory(opened.read()), notice.own);
    if (notice.doneChats === 0) await notePeople(parts, notice, people);
    if (!keepsMessages(notice.type, notice.policy)) return 'done';
    return await importChats(parts, notice, people, readHistory(opened.read()), isLate);
  } finally {
    await opened.close();
  }
}

async function importChats(
  parts: ImportParts,
  begun: NoticeInHand,
  people: HistoryPeople,
  history: ReturnType<typeof readHistory>,
  isLate: () => boolean,
): Promise<Imported> {
  let notice = begun;
  let inHand: PastChatInHand | undefined;
  for await (const part of history) {
    if (part.part === 'chat_begins') {
      if (part.place < begun.doneChats) continue;
      const fields = people.chats[part.place];
      if (fields === undefined) throw new HistoryFaultError('too_large');
      inHand = new PastChatInHand(parts, notice, await nameOf(parts, notice, people, fields), people.otherNameOf);
    } else if (part.part === 'message') await inHand?.add(part.bytes);
    else if (part.part === 'chat_ends' && inHand !== undefined) {
      const counts = await endChat(parts, notice, inHand, part.fields);
      inHand = undefined;
      const doneChats = part.place + 1;
      const total = addCounts(notice.counts, counts);
      if (!(await parts.notices.advance(notice, doneChats, total))) return 'lost';
      notice = { ...notice, doneChats, counts: total };
      if (isLate()) return 'more';
    }
  }
  return 'done';
}

/** The names of a chat; undefined for what is none here, such as the statuses of others, or has no id. */
async function nameOf(
  { chats, clock }: ImportParts,
  { connectionId }: NoticeInHand,
  people: HistoryPeople,
  { id, lid, phoneJid }: ChatFields,
): Promise<{ readonly chat: string; readonly chatAlias?: string } | 'none' | 'nameless'> {
  const told = withoutDevice(id ?? '');
  if (told === '') return 'nameless';
  if (!['people', 'groups', 'newsletters'].includes(chatKindOf(told))) return 'none';
  if (!isPerson(told)) return { chat: told };
  const other = people.otherNameOf(told) ?? (isLid(told) ? phoneJid : lid);
  const lidTold = [told, other].find((address) => address !== undefined && isLid(address));
  const [found] = await chats.readFor([{ connectionId, id: lidTold ?? told }], true, clock.nowMs());
  const chat = found?.id ?? lidTold ?? told;
  const alias = [told, other].find((address) => address !== undefined && address !== chat && !isLid(address));
  return { chat, ...(alias === undefined ? {} : { chatAlias: alias }) };
}

/** Writes what is left of a chat, and its place in the list. Returns what became of its messages. */
async function endChat(
  parts: ImportParts,
  { connectionId }: NoticeInHand,
  inHand: PastChatInHand,
  fields: ChatFields,
): Promise<Partial<HistoryCounts>> {
  const counts = await inHand.end();
  const { name } = inHand;
  if (typeof name === 'string') return counts;
  const { chat, chatAlias } = name;
  const number = isLid(chat) ? numberOf(chatAlias ?? '') : undefined;
  await noteChat(parts, connectionId, chat, {
    ...(number === undefined ? {} : { number }),
    newest: inHand.newest,
    unread: fields.unread,
    markedUnread: fields.markedUnread,
    archived: fields.archived,
    pinned: fields.pinned === undefined ? undefined : fields.pinned > 0,
    mutedUntil: fields.mutedUntil,
    subject: isGroup(chat) ? fields.name : undefined,
  });
  return { ...counts, chats: 1 };
}

async function noteChat(
  { chats, clock }: ImportParts,
  connectionId: NoticeInHand['connectionId'],
  id: string,
  told: ToldOfChat,
): Promise<void> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const nowMs = clock.nowMs();
    const [found] = await chats.readFor([{ connectionId, id }], true, nowMs);
    const was = found?.row;
    // A chat without a message has nothing to show.
    if (was === undefined && told.newest === undefined) return;
    const is = afterHistory(was ?? newChat({ id: found?.id ?? id }), told);
    if (is === was) return;
    const [outcome] = await chats.write([{ connectionId, was, is }], nowMs);
    if (outcome === 'written') return;
    if (typeof outcome === 'object') throw outcome.error;
  }
  throw new Error('a chat is written by others all the time');
}
