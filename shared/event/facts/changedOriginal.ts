import { boundContent, type Content, type InboundContent } from '../../content/content.ts';
import type { ConnectionId } from '../../kernel/id.ts';
import { versionItem } from '../../message/messageVersions.ts';
import { messageKey } from '../../platform/keys.ts';
import type { RowChange } from './factRow.ts';
import type { FoundOriginal } from './originalRule.ts';

/** The rows that an act on a message leaves. */
export interface OriginalChange {
  readonly items?: readonly Readonly<Record<string, unknown>>[];
  readonly changes: readonly RowChange[];
}

/** The stanza of an act, and its time. */
interface ActStanza {
  readonly stanzaId: string;
  readonly atMs: number;
}

/**
 * An edit: the row of the original says what it says now, and each version has a row of its own, also the first. A run that
 * is made again finds its own edit on the row and comes to the same.
 */
export function editOriginal(
  { messageId, message }: FoundOriginal,
  { stanzaId, atMs, content }: ActStanza & { readonly content: Content },
  { connectionId, nowMs }: { readonly connectionId: ConnectionId; readonly nowMs: number },
): OriginalChange {
  const of = { connectionId, messageId, nowMs };
  const isAgain = message.editedBy === stanzaId;
  const before = {
    atMs: message.editedAtMs ?? message.createdAtMs,
    stanzaId: message.editedBy ?? message.stanzaId,
    content: message.content,
  };
  // Versions keep the order in which they came, whatever the clocks say.
  const editedAtMs = isAgain ? before.atMs : Math.max(atMs, before.atMs + 1);
  const now = { atMs: editedAtMs, stanzaId, content };
  const set = { content, editedAtMs, editedBy: stanzaId };
  return {
    items: [...(isAgain ? [] : [versionItem(of, before)]), versionItem(of, now)],
    changes: [
      { key: messageKey(connectionId, messageId), set, after: { attribute: 'editedBy', was: message.editedBy } },
    ],
  };
}

/** A deletion: the row of the original says so, and keeps what it said. */
export function deleteOriginal(
  { messageId, message }: FoundOriginal,
  { stanzaId, atMs }: ActStanza,
  connectionId: ConnectionId,
): OriginalChange {
  const set = { deletedAtMs: atMs, deletedBy: stanzaId };
  const after = { attribute: 'deletedBy', was: message.deletedBy };
  return { changes: [{ key: messageKey(connectionId, messageId), set, after }] };
}

/**
 * What a message says after an edit. An edit of a kind with parts, such as the caption of an image, brings only the parts that
 * it changes; the whole has the bounds of any content, however often its writer adds to it. A list takes the place of the
 * one before.
 */
export function contentAfter(before: { readonly type: string }, now: InboundContent): InboundContent {
  const { type } = now;
  if (before.type !== type || type === 'text' || type === 'unsupported') return now;
  const [old, next] = [before, now].map((content) => (content as unknown as Readonly<Record<string, object>>)[type]);
  if (Array.isArray(next)) return now;
  return boundContent({ type, [type]: { ...old, ...next } } as unknown as InboundContent);
}
