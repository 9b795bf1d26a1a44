import { describe, expect, it } from 'vitest';
import type { OutboundContent } from '../../../shared/content/content.ts';
import type { AnyContentKind } from '../../../shared/content/contentKind.ts';
import { contentKinds } from '../../../shared/content/contentKinds.ts';
import type { FactContext } from '../../../shared/event/facts/factRow.ts';
import type { MessageFact } from '../../../shared/event/facts/messageFactSchema.ts';
import { planMessage } from '../../../shared/event/facts/planMessage.ts';
import { refusalOfAct, type ActContent } from '../../../shared/message/actRule.ts';
import { understoodKinds } from '../../../shared/wire/understoodKinds.ts';
import { aMessageFact, aSentMessage, newIds } from './eventStores.ts';

const rows: readonly (readonly [string, AnyContentKind])[] = Object.entries(contentKinds);
/** The kinds that phones let their writer edit, with the part that changes; a linked device may do the same. */
const editable: Readonly<Record<string, 'text' | 'caption'>> = {
  text: 'text',
  image: 'caption',
  video: 'caption',
  document: 'caption',
};
const ANN = '4915100000002@s.whatsapp.net';
const ids = newIds();
const NOW = Date.UTC(2026, 10, 1);

/** The row of a received message with a content, as the fold of a batch reads it. */
function receivedWith(type: string, example: unknown): FactContext {
  const message = {
    ...aSentMessage(ids),
    direction: 'in',
    chat: ANN,
    sender: ANN,
    senderName: undefined,
    content: { type, [type]: example },
  } as unknown as NonNullable<FactContext['message']>;
  return {
    origin: { ...ids, correlationId: 'cor-1' as FactContext['origin']['correlationId'], token: 1, shard: 0 },
    nowMs: NOW,
    again: false,
    told: false,
    beside: undefined,
    waiting: [],
    early: [],
    named: [{ messageId: message.messageId, message }],
  };
}

describe('an edit', () => {
  it.each(rows.filter(([type]) => Object.hasOwn(understoodKinds, type)))(
    'by its writer changes what it says, and the event says so: %s',
    (type, { example }) => {
      const edit = aMessageFact({
        chat: ANN,
        sender: ANN,
        content: { type, [type]: example } as unknown as MessageFact['content'],
        originalId: 'ORIGINAL',
        originalSender: ANN,
        originalFromMe: false,
        act: 'edit',
      });

      const plan = planMessage(edit as MessageFact, receivedWith(type, example));

      expect(plan).toMatchObject({
        draft: { type: 'message.edited', data: { content: { type, [type]: example } } },
        changes: [{ set: { content: { type, [type]: example }, editedBy: edit.kind === 'message' && edit.stanzaId } }],
      });
    },
  );

  it.each(rows)('by the account is of a text or a caption, and is refused of all else: %s', (type, { example }) => {
    const original = aSentMessage(ids, {
      content: { type, [type]: example } as unknown as OutboundContent,
      state: 'queued',
    });
    const refused = (['text', 'caption'] as const).filter((part) => {
      const edit = part === 'text' ? { text: { body: 'now' } } : { caption: 'now' };
      const act = { type: 'edit', edit: { message_id: original.messageId, ...edit } } as unknown as ActContent;
      return refusalOfAct(act, original, NOW) !== undefined;
    });

    const allowed = editable[type];
    expect(refused).toEqual((['text', 'caption'] as const).filter((part) => part !== allowed));
  });
});
