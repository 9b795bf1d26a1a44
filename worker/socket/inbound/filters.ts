import { chatKindOf, type ChatKind } from '../../../shared/connection/chatKind.ts';
import type { AppliedSettingValues, FilterName } from '../../../shared/connection/settings.ts';
import type { Fact } from '../../../shared/event/facts/factRows.ts';
import { isStatus } from '../../../shared/kernel/jid.ts';
import type { Scope } from '../../../shared/kernel/scope.ts';
import type { Surroundings } from '../../../shared/platform/surroundings.ts';

/** How long dropped messages are counted before the numbers are added to the connection, in milliseconds. */
const ADD_AFTER_MS = 60_000;

/**
 * The filter that drops a fact; undefined for one that is wanted. Messages alone are filtered: whatever tells of a
 * message of ours, of a call or of the connection always counts. The chat is that of the message and not of its stanza,
 * as the account's phone brings messages of all chats later.
 */
export function filterOf(fact: Fact, filters: AppliedSettingValues['filters']): FilterName | undefined {
  if (fact.kind !== 'message') return undefined;
  // What others say about a status of ours is not one of theirs, though it comes by the same way.
  const isAboutOurs = isStatus(fact.chat) && fact.originalFromMe === true && !fact.fromMe;
  const kind = isAboutOurs ? 'people' : chatKindOf(fact.chat);
  if (filters[kind] === 'drop') return kind;
  const { type } = fact.content;
  return filters.types[type] === 'drop' ? `types.${type}` : undefined;
}

export interface FilterCountsParts extends Pick<Surroundings, 'logger' | 'metrics'> {
  readonly scope: Pick<Scope, 'timeout'>;
  /** Adds to the numbers that are shown on the connection. */
  readonly add: (counts: ReadonlyMap<FilterName, number>) => Promise<unknown>;
}

/**
 * Counts what filters drop. The metric counts at once; the numbers of the connection are added to at most once a minute,
 * and when the socket closes, so that a busy group costs no write for each message. A worker that dies loses the numbers
 * of its last minute; a write that fails is made again with the next one, and where it took effect unnoticed, messages are
 * counted twice. The numbers say how much is dropped, and nothing is decided by them.
 */
export class FilterCounts {
  readonly #parts: FilterCountsParts;
  #counts = new Map<FilterName, number>();
  #isWaiting = false;

  constructor(parts: FilterCountsParts) {
    this.#parts = parts;
  }

  /** Counts a dropped message. Never waits. */
  count(filter: FilterName): void {
    const { metrics, scope } = this.#parts;
    metrics.count('MessagesFiltered', { kind: isOfType(filter) ? 'types' : filter });
    this.#counts.set(filter, (this.#counts.get(filter) ?? 0) + 1);
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    scope.timeout(ADD_AFTER_MS, () => this.#add());
  }

  /** Adds what is counted, because the socket has closed. */
  end(): void {
    if (this.#counts.size === 0) return;
    this.#parts.logger.info('messages were dropped as the settings ask for', Object.fromEntries(this.#counts));
    this.#add();
  }

  #add(): void {
    const counts = this.#counts;
    this.#counts = new Map();
    this.#isWaiting = false;
    if (counts.size === 0) return;
    this.#parts.add(counts).catch((error: unknown) => {
      this.#parts.logger.warn('dropped messages not counted on their connection', { error });
      for (const [filter, count] of counts) this.#counts.set(filter, (this.#counts.get(filter) ?? 0) + count);
    });
  }
}

function isOfType(filter: FilterName): filter is Exclude<FilterName, ChatKind> {
  return filter.startsWith('types.');
}
