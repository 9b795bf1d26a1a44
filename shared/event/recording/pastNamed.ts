import { tagOfChat, type ConnectionId, type MessageId } from '../../kernel/id.ts';
import { PastMessages } from '../../message/pastMessages.ts';
import { pastIdIn, pastNamesRowOf } from '../../message/pastNames.ts';
import { makePastRow } from '../../message/pastRow.ts';
import { pastNamesKey } from '../../platform/historyKeys.ts';
import { handledFactKey, messageKey, type ItemKey } from '../../platform/keys.ts';
import type { EventLogDependencies } from '../eventLog.ts';
import { ourIdOf, type Naming } from '../facts/originals.ts';
import { rowOf } from '../facts/factRows.ts';
import type { FactInHand } from './factInHand.ts';
import type { Item } from './rowInHand.ts';

interface PastNaming {
  readonly connectionId: ConnectionId;
  readonly naming: Naming & { readonly chats: readonly string[] };
}

export interface PastNamedParts extends EventLogDependencies {
  /** The rows that were read. */
  readonly find: (key: ItemKey) => Item | undefined;
  readonly read: (keys: readonly ItemKey[]) => Promise<(key: ItemKey) => Item | undefined>;
}

/**
 * The messages that facts name and that no fact brought: those of a history. Returns what leads to them, and the rows of those that are needed, as if they had come
 * by themselves. One to which something is to happen gets a row of its own first; whoever dies after that finds it.
 */
export async function findPastNamed(
  parts: PastNamedParts,
  facts: readonly FactInHand[],
): Promise<readonly (readonly [key: ItemKey, item: Item])[]> {
  const { find, read } = parts;
  const missing = facts.flatMap(({ source: { connectionId }, fact }): readonly PastNaming[] =>
    (rowOf(fact).names?.(fact) ?? []).flatMap((naming) => {
      const { chats, keys } = naming;
      const ours = ourIdOf(connectionId, naming);
      const isKnown =
        keys.some((key) => find(handledFactKey(connectionId, key))?.['messageId'] !== undefined) ||
        (ours !== undefined && find(messageKey(connectionId, ours)) !== undefined);
      return chats === undefined || isKnown ? [] : [{ connectionId, naming: { ...naming, chats } }];
    }),
  );
  if (missing.length === 0) return [];
  const named = await read(
    missing.flatMap(({ connectionId, naming }) => namesOf(connectionId, naming).map(({ row }) => row)),
  );
  const found = missing.flatMap(({ connectionId, naming }) => {
    const hit = namesOf(connectionId, naming)
      .map(({ row, key }) => ({ key, messageId: idIn(named(row), key) }))
      .find(({ messageId }) => messageId !== undefined);
    return hit?.messageId === undefined ? [] : [{ connectionId, naming, key: hit.key, messageId: hit.messageId }];
  });
  const rows = await read(found.map(({ connectionId, messageId }) => messageKey(connectionId, messageId)));
  const past = new PastMessages(parts);
  const results: (readonly [ItemKey, Item])[] = [];
  for (const { connectionId, naming, key, messageId } of found) {
    results.push([handledFactKey(connectionId, key), { messageId }]);
    const own = messageKey(connectionId, messageId);
    if (naming.needs !== 'row' || rows(own) !== undefined) {
      const row = rows(own);
      if (row !== undefined) results.push([own, row]);
      continue;
    }
    const made = await makePastRow({ ...parts, past }, connectionId, messageId, parts.clock.nowMs());
    if (made !== undefined) results.push([own, made]);
  }
  return results;
}

function namesOf(connectionId: ConnectionId, { chats, keys }: PastNaming['naming']) {
  return chats.flatMap((chat) =>
    keys.map((key) => ({ key, row: pastNamesKey(connectionId, tagOfChat(chat), pastNamesRowOf(key)) })),
  );
}

function idIn(item: Item | undefined, key: string): MessageId | undefined {
  return item === undefined ? undefined : pastIdIn(item, key);
}
