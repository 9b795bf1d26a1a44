import { parseId } from '../../../shared/kernel/id.ts';
import { MOST_LABELS, type Label } from '../../../shared/message/label.ts';
import { toChat } from '../../../shared/message/party.ts';
import { isGroup } from '../../../shared/message/recipient.ts';
import { LABELS_IN, shownOf, toLabelChange, toLabelChatChange, toLabelMessageChange } from '../appState/kinds/label.ts';
import { LabelBook, type ReadLabel } from '../appState/labelBook.ts';
import type { StateChange } from '../appState/writePatch.ts';
import { fitInto } from '../wire/toGroup.ts';
import type { Ask, Asking } from './asking.ts';
import { findChat, judge, refused, toNamed, type Refused } from './sharedStateChange.ts';

/** Labels of a business. What its devices share of them is read as a whole each time: nothing of it is kept here. */
const LIST_BYTES = 64 * 1_024;
/** The number of chats whose second names are looked up at once. */
const NAMES_AT_ONCE = 50;

const succeeded = <Result>(result: Result) => ({ outcome: 'succeeded', result }) as const;

/** Reads the labels; a refusal where that cannot be done. */
async function readBook(asking: Asking, about?: string): Promise<LabelBook | Refused> {
  const book = new LabelBook(asking.nowMs(), about);
  return judge(await asking.appState.look(LABELS_IN, book.note)) ?? book;
}

/** Reads one label, with all of them. */
async function readLabel(
  asking: Asking,
  id: string,
): Promise<Refused | { readonly book: LabelBook; readonly found: ReadLabel }> {
  const book = await readBook(asking, id);
  if (!(book instanceof LabelBook)) return book;
  const found = book.labels().find(({ label }) => label.id === id);
  return found === undefined ? refused({ code: 'label_not_found' }) : { book, found };
}

export const askLabelList: Ask<'label_list'> = async (asking) => {
  const book = await readBook(asking);
  if (!(book instanceof LabelBook)) return book;
  const { shown: labels, complete } = fitInto(
    book.labels().map(({ label }) => label),
    LIST_BYTES,
  );
  return succeeded({ labels, complete });
};

export const askLabelFind: Ask<'label_find'> = async (asking, { label: id }) => {
  const read = await readLabel(asking, id);
  if ('outcome' in read) return read;
  const named = await withNames(asking, read.book.labelled());
  const chats = fitInto(
    named.flatMap(({ chat, stanzaId }) => (stanzaId === undefined ? [chat] : [])),
    LIST_BYTES,
  );
  const messages = fitInto(
    named.flatMap(({ chat, stanzaId }) => (stanzaId === undefined ? [] : [{ chat, stanzaId }])),
    LIST_BYTES,
  );
  return succeeded({
    label: read.found.label,
    chats: chats.shown,
    messages: messages.shown,
    complete: chats.complete && messages.complete,
  });
};

async function withNames({ otherNameOf }: Asking, labelled: ReturnType<LabelBook['labelled']>) {
  const named = [];
  for (let at = 0; at < labelled.length; at += NAMES_AT_ONCE) {
    const some = labelled.slice(at, at + NAMES_AT_ONCE).map(async ({ chat, stanzaId }) => ({
      chat: toChat(chat, isGroup(chat) ? undefined : await otherNameOf(chat)),
      stanzaId,
    }));
    named.push(...(await Promise.all(some)));
  }
  return named;
}

/** A label of the same name is the answer of a try that was made before, and of a person who was faster. */
export const askLabelCreate: Ask<'label_create'> = async (asking, { name, color }) => {
  const book = await readBook(asking);
  if (!(book instanceof LabelBook)) return book;
  const labels = book.labels();
  const known = labels.find(({ label }) => label.name === name);
  if (known !== undefined) return succeeded({ label: known.label, created: false });
  if (labels.length >= MOST_LABELS) return refused({ code: 'too_many_labels' });
  const label: Label = { id: book.newId(), name, color };
  const change = toLabelChange(label.id, { name, color, deleted: false }, asking.nowMs(), true);
  return judge(await asking.appState.write(change)) ?? succeeded({ label, created: true });
};

export const askLabelChange: Ask<'label_change'> = async (asking, { label: id, name, color }) => {
  const read = await readLabel(asking, id);
  if ('outcome' in read) return read;
  const asked = { ...(name === undefined ? {} : { name }), ...(color === undefined ? {} : { color }) };
  const written = { ...read.found.written, ...asked };
  const refusal = judge(await asking.appState.write(toLabelChange(id, written, asking.nowMs())));
  return refusal ?? succeeded({ label: { ...read.found.label, ...shownOf(written) } });
};

export const askLabelDelete: Ask<'label_delete'> = async (asking, { label: id }) => {
  const read = await readLabel(asking, id);
  if ('outcome' in read) return read;
  const change = toLabelChange(id, { ...read.found.written, deleted: true }, asking.nowMs());
  return judge(await asking.appState.write(change)) ?? succeeded({ label: read.found.label, deleted: true as const });
};

export const askLabelChatAdd: Ask<'label_chat_add'> = (asking, { label, chat }) =>
  labelChat(asking, label, chat, true as const);

export const askLabelChatRemove: Ask<'label_chat_remove'> = (asking, { label, chat }) =>
  labelChat(asking, label, chat, false as const);

async function labelChat<Assigned extends boolean>(asking: Asking, id: string, written: string, assigned: Assigned) {
  const chat = await findChat(asking, written);
  if (chat === undefined) return refused({ code: 'recipient_has_no_account' });
  const done = await assign(asking, id, (nowMs) => toLabelChatChange(id, chat.address, assigned, nowMs));
  return 'outcome' in done ? done : succeeded({ label: done.label, chat: chat.shown, assigned });
}

export const askLabelMessageAdd: Ask<'label_message_add'> = (asking, { label, messageId }) =>
  labelMessage(asking, label, messageId, true as const);

export const askLabelMessageRemove: Ask<'label_message_remove'> = (asking, { label, messageId }) =>
  labelMessage(asking, label, messageId, false as const);

async function labelMessage<Assigned extends boolean>(asking: Asking, id: string, written: string, assigned: Assigned) {
  const messageId = parseId('msg', written);
  const message = messageId === undefined ? undefined : await asking.kept.find(messageId);
  if (messageId === undefined || message === undefined) return refused({ code: 'message_not_found' });
  const named = toNamed(message);
  if (named === undefined) return refused({ code: 'message_not_sent' });
  const done = await assign(asking, id, (nowMs) => toLabelMessageChange(id, named, assigned, nowMs));
  if ('outcome' in done) return done;
  const alias = isGroup(named.chat) ? undefined : await asking.otherNameOf(named.chat);
  return succeeded({ label: done.label, chat: toChat(named.chat, alias), messageId, assigned });
}

/** Writes what a label is on, where there is such a label. */
async function assign(
  asking: Asking,
  id: string,
  toChange: (nowMs: number) => StateChange,
): Promise<Refused | { readonly label: Label }> {
  const read = await readLabel(asking, id);
  if ('outcome' in read) return read;
  return judge(await asking.appState.write(toChange(asking.nowMs()))) ?? { label: read.found.label };
}
