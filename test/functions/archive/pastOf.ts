import { keysOfPast } from '../../../shared/history/pastKeys.ts';
import { derivePastMessageId, makeStanzaId, type ConnectionId, type TenantId } from '../../../shared/kernel/id.ts';
import { systemRandom } from '../../../shared/kernel/random.ts';
import type { MediaFile } from '../../../shared/content/mediaFile.ts';
import type { ReceivedMessage } from '../../../shared/message/message.ts';
import { PastMessages } from '../../../shared/message/pastMessages.ts';
import { someContent } from '../../shared/content/someContent.ts';

interface Owner {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
}

/** What is said of a message of a history. */
export interface Past {
  readonly text: string;
  readonly chat: string;
  readonly sender?: string;
  readonly senderAlias?: string;
  readonly chatAlias?: string;
  readonly fromMe?: boolean;
  readonly files?: readonly MediaFile[];
}

/** Long before any connection of a test was made. */
const LONG_AGO = Date.UTC(2026, 2, 1);
let made = 0;

export function aPast({ tenantId, connectionId }: Owner, past: Past): ReceivedMessage {
  const { text, chat, sender = chat, senderAlias, chatAlias, fromMe = false, files } = past;
  const stanzaId = makeStanzaId(systemRandom);
  const createdAtMs = LONG_AGO + (made += 1) * 1_000;
  const author = fromMe ? '4915100000001@s.whatsapp.net' : sender;
  const identity = { chat, sender: fromMe ? 'me' : author, stanzaId, timestampMs: createdAtMs };
  return {
    tenantId,
    connectionId,
    messageId: derivePastMessageId(connectionId, identity),
    stanzaId,
    direction: fromMe ? 'echo' : 'in',
    createdAtMs,
    chat,
    ...(chatAlias === undefined ? {} : { chatAlias }),
    sender: author,
    ...(senderAlias === undefined ? {} : { senderAlias }),
    senderName: undefined,
    content: someContent(text),
    flags: undefined,
    ...(files === undefined ? {} : { files }),
  };
}

/** Writes messages as a part of a history brings them. */
export async function bringHistory(
  stack: ConstructorParameters<typeof PastMessages>[0],
  owner: Owner,
  messages: readonly ReceivedMessage[],
): Promise<void> {
  const store = new PastMessages(stack);
  for (const [chat, all] of Map.groupBy(messages, (message) => message.chat)) {
    const named = all
      .toSorted((one, other) => (one.messageId > other.messageId ? -1 : 1))
      .map((message) => ({ message, keys: keysOfPast(message) }));
    await store.write(owner, chat, named, { source: 'abcdef01', nowMs: Date.now() });
  }
}
