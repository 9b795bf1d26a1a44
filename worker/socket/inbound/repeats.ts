import { AsyncLocalStorage } from 'node:async_hooks';
import type { BinaryNode, CacheStore, makeWASocket, proto } from '@whiskeysockets/baileys';
import { relayAround } from './repeatAround.ts';
import { withDeadline } from '../../../shared/kernel/deadline.ts';
import { deadlines } from '../../../shared/kernel/deadlines.ts';
import type { StanzaId } from '../../../shared/kernel/id.ts';
import type { Me } from '../wire/envelope.ts';
import { fromKept } from '../wire/keptMessage.ts';
import type { WireMessage } from '../wire/spokenKind.ts';
import { orNothing } from '../wire/plaintext.ts';
import type { GroupMembers } from '../people/groupMembers.ts';
import type { Fate } from './inboundOrder.ts';
import type { SentOnce } from '../port/sentOnce.ts';
import {
  decideRepeat,
  isViewer,
  MOST_REPEATS,
  needsMembers,
  toRepeatRequest,
  type RepeatDecision,
  type RepeatRefusal,
  type RepeatRequest,
} from './repeatRule.ts';
import type { OpenSocketOptions } from '../port/socketOptions.ts';

const LONGEST_ID = 64;
/**
 * The number of requests that may wait to be answered. A requester that is refused asks again when it receives the next
 * message.
 */
const MOST_WAITING = 500;

export type RepeatsOptions = Pick<OpenSocketOptions, 'lookUpSent' | 'session' | 'clock' | 'metrics' | 'logger'>;

export interface RepeatsParts {
  readonly socket: () => Pick<ReturnType<typeof makeWASocket>, 'sendMessageAck' | 'relayMessage'>;
  readonly members: GroupMembers;
  /** The number of repetitions of each message to each device, as Baileys counts them: each twice. */
  readonly counters: Pick<CacheStore, 'get' | 'set'>;
  readonly me: () => Me;
  /** The other name of a person, without device, where it is known. */
  readonly otherNameOf: (jid: string) => Promise<string | undefined>;
  /** Allows a new session with the requester, who could not read the present one. */
  readonly welcome: (deviceJid: string) => Promise<void>;
}

/** The messages that a request may have, by stanza id. */
interface Permitted {
  readonly messages: ReadonlyMap<string, WireMessage>;
  /** The one that Baileys does not get, and whether it has asked for it. */
  readonly withheld: string | undefined;
  isAskedFor: boolean;
}

/**
 * Handles requests to repeat a message. Baileys answers anybody who names an id: here each request is judged before
 * Baileys sees it, by the rule in `repeatRule`. Baileys finds only messages that may be repeated, and only where it
 * handles the stanza that asked. A refused request is acknowledged, so that it does not come again, and counted; it has
 * no other effect: no answer, no new session, no keys taken from it.
 *
 * Baileys repeats the message alone, and WhatsApp's clients show no poll whose stanza does not say that it is one. So the
 * message that a request is about is kept from Baileys where there are parts around it: Baileys makes the session, counts,
 * and asks for the message, and then it is sent from here with those parts (`repeatAround`).
 *
 * An answer takes queries, for the keys of the requester. So it is made aside, one after the other: a person who asks
 * for everything that was ever sent to them holds up themselves, and others who ask, but no message.
 */
export class Repeats {
  readonly #options: RepeatsOptions;
  readonly #parts: RepeatsParts;
  /** What the present request may have, where Baileys handles a request. */
  readonly #permitted = new AsyncLocalStorage<Permitted>();
  #waiting = 0;

  constructor(options: RepeatsOptions, parts: RepeatsParts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** Gives Baileys a message that the request it handles may have. */
  readonly messageOf = (stanzaId: string): proto.IMessage | undefined => {
    const permitted = this.#permitted.getStore();
    if (permitted?.withheld !== stanzaId) return permitted?.messages.get(stanzaId)?.message;
    permitted.isAskedFor = true;
    return undefined;
  };

  /** Whether the caller is the handling of a request. */
  readonly isAnswering = (): boolean => this.#permitted.getStore() !== undefined;

  /** Judges a request, and reduces it to the messages that may be repeated. Rejects when the store does not answer. */
  async take(stanza: BinaryNode): Promise<Fate> {
    const request = toRepeatRequest(stanza, this.#parts.me());
    if (request === undefined) return this.#refuse(stanza, 'malformed');
    if (this.#waiting >= MOST_WAITING) return this.#refuse(stanza, 'too_many');
    const ids = [...new Set(request.ids)];
    const judged = ids.slice(0, MOST_REPEATS);
    const records = await Promise.all(judged.map((id) => this.#lookUp(id)));
    const found = await Promise.all(records.map(async (record) => this.#judge(request, record)));
    const [first] = found;
    // Our own devices also could not read messages between us alone. Nothing is repeated, but they get a new session.
    const isRenewal = request.isOwn && first === 'unknown_message';
    if (first !== undefined && first !== 'repeat' && !isRenewal) return this.#refuse(stanza, first);
    const permitted = judged.filter((_, index) => found[index] === 'repeat');
    for (const each of found.slice(1)) if (each !== 'repeat') this.#count(each);
    if (ids.length > MOST_REPEATS) this.#count('too_many');
    leaveOnly(stanza, permitted);
    this.#options.metrics.count('RetryReceipts', {});
    this.#waiting += 1;
    return {
      aside: async (handle) => {
        this.#waiting -= 1;
        const messages = await this.#messagesOf(permitted);
        await this.#parts.welcome(request.requesterDevice);
        await this.#answer(request, messages, handle);
      },
    };
  }

  /** Lets Baileys answer, and sends the message with the parts around it where there are any. */
  async #answer(
    request: RepeatRequest,
    messages: ReadonlyMap<string, WireMessage>,
    handle: () => Promise<unknown>,
  ): Promise<void> {
    const [id = ''] = request.ids;
    const message = messages.get(id);
    const isBare = message?.attributes === undefined && message?.nodes === undefined;
    const permitted: Permitted = { messages, withheld: isBare ? undefined : id, isAskedFor: false };
    await this.#permitted.run(permitted, handle);
    if (message === undefined || !permitted.isAskedFor) return;
    await this.#countAgain(`${id}:${request.requesterDevice}`);
    await relayAround(this.#parts.socket(), { ...request, id }, message).catch((error: unknown) =>
      this.#options.logger.warn('message not repeated', { stanzaId: id, error }),
    );
  }

  /** Counts what Baileys counts when it sends itself: it has counted the request, and not the repetition. */
  async #countAgain(key: string): Promise<void> {
    const { counters } = this.#parts;
    await counters.set(key, ((await counters.get<number>(key)) ?? 0) + 1);
  }

  /** Finds a sent message. An id that is longer than any of ours would be more than the store accepts for a key. */
  async #lookUp(id: string): Promise<SentOnce | undefined> {
    return id.length > LONGEST_ID ? undefined : this.#options.lookUpSent(id as StanzaId);
  }

  async #judge(request: RepeatRequest, record: SentOnce | undefined): Promise<RepeatDecision> {
    const { members, otherNameOf } = this.#parts;
    const { chat, requester } = request;
    const names = chat === undefined ? [] : [chat, await otherNameOf(chat)];
    const named = [requester, await otherNameOf(requester)];
    const isIn = needsMembers(request, record)
      ? (await members.find(record?.to ?? '', named)) === 'member'
      : isViewer(record, named);
    return decideRepeat(request, record, names, isIn, this.#options.clock.nowMs());
  }

  /** The kept messages. They are read when it is their turn, so that waiting requests take no memory. */
  async #messagesOf(ids: readonly string[]): Promise<ReadonlyMap<string, WireMessage>> {
    const kept = await this.#options.session.findSent(ids);
    return new Map(
      ids.flatMap((id) => {
        const bytes = kept.get(id);
        const message = bytes instanceof Uint8Array ? orNothing(() => fromKept(bytes)) : undefined;
        if (message === undefined) this.#count('not_kept');
        return message === undefined ? [] : [[id, message] as const];
      }),
    );
  }

  async #refuse(stanza: BinaryNode, reason: RepeatRefusal): Promise<'taken'> {
    this.#count(reason);
    await withDeadline('acknowledging a stanza', deadlines.stanzaWrite.ms, () =>
      this.#parts.socket().sendMessageAck(stanza),
    ).catch((error: unknown) => this.#options.logger.warn('refused request not acknowledged', { error }));
    return 'taken';
  }

  #count(reason: RepeatRefusal): void {
    this.#options.metrics.count('RetryReceiptsRefused', { reason });
  }
}

/** Removes from a request every message but these, and every part that Baileys would not read. */
function leaveOnly(stanza: BinaryNode, ids: readonly string[]): void {
  const children = Array.isArray(stanza.content) ? stanza.content : [];
  const named = ['retry', 'registration', 'keys'].flatMap((name) => children.find(({ tag }) => tag === name) ?? []);
  const more = ids.filter((id) => id !== stanza.attrs['id']);
  const items = more.map((id): BinaryNode => ({ tag: 'item', attrs: { id } }));
  // Baileys looks for further ids in the first child.
  const list: readonly BinaryNode[] = items.length === 0 ? [] : [{ tag: 'list', attrs: {}, content: items }];
  stanza.content = [...list, ...named];
}
