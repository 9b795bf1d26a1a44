import type { Fact } from '../../shared/event/facts/factRows.ts';
import type { MessageId, StanzaId } from '../../shared/kernel/id.ts';
import type { SendState } from '../../shared/message/message.ts';
import type { TranscriptEntry } from '../whatsapp/phone.ts';
import type { Stats } from '../whatsapp/stats.ts';

/** A message that a phone wrote to our account, or to a group that it is in. */
export interface Written {
  readonly id: string;
  readonly text: string;
}

/** A message that we accepted for sending: from then on it is ours to bring. */
export interface Accepted {
  readonly messageId: MessageId;
  readonly stanzaId: StanzaId;
  readonly text: string;
  /** Numbers of those who must see it. */
  readonly readers: readonly string[];
  /** Whether its reader looked at it, and a receipt said so. */
  isRead: boolean;
}

/** What was seen of one crash, from the moment before it until all is quiet. Nothing of it was asked of the worker. */
export interface Evidence {
  /** In the order in which the phones wrote them. */
  readonly written: readonly Written[];
  readonly accepted: readonly Accepted[];
  /** What the events queue gave out, in order. */
  readonly facts: readonly Fact[];
  /** What each phone shows of our account's messages. */
  readonly shown: ReadonlyMap<string, readonly TranscriptEntry[]>;
  readonly states: ReadonlyMap<MessageId, SendState | undefined>;
  readonly before: Stats;
  readonly after: Stats;
  /** Stanzas that WhatsApp still keeps for our device. */
  readonly waiting: number;
  /** Devices that WhatsApp links with the account. */
  readonly devices: number;
  /** Sends that were in flight at the crash: as many stanzas may come twice under their id. */
  readonly inFlight: number;
  /** What the worker itself found to be broken. */
  readonly broken: readonly string[];
}

/** The figures of one crash. All are 0 when it does no harm, but `resent` and `repeats`. */
export interface Findings {
  readonly lost: number;
  readonly duplicates: number;
  readonly resent: number;
  /** Facts that were published again, each under the key that it had. */
  readonly repeats: number;
  readonly reusedKeys: number;
  readonly undecryptable: number;
  /** What does not hold, in sentences. */
  readonly problems: readonly string[];
}

/** Holds what was seen against what was promised. Pure. */
export function judge(evidence: Evidence): Findings {
  const lost = [...lostIn(evidence), ...lostOut(evidence), ...lostReceipts(evidence)];
  const twice = [...publishedTwice(evidence.facts), ...shownTwice(evidence)];
  const { before, after } = evidence;
  const grown = (figure: keyof Stats): number => Number(after[figure]) - Number(before[figure]);
  const [resent, reusedKeys, undecryptable] = [grown('resent'), grown('reusedKeys'), grown('undecryptable')];
  const never: readonly (readonly [what: string, count: number])[] = [
    ['message keys used twice', reusedKeys],
    ['messages that could not be read at first', undecryptable],
    ['requests to repeat a message', grown('retryRequests')],
    ['stanzas from a socket after a newer login', grown('overlap')],
    ['logins that replaced a live socket', grown('replaced')],
    ['messages shown after a later one', grown('outOfOrder')],
    ['messages that we refused', refusals(after) - refusals(before)],
    ['faults of the simulator itself', after.internalErrors.length - before.internalErrors.length],
    ['stanzas that WhatsApp still keeps for us', evidence.waiting],
    ['devices linked beside our own', evidence.devices - 1],
  ];
  return {
    lost: lost.length,
    duplicates: Math.max(twice.length, grown('duplicates')),
    resent,
    repeats: evidence.facts.length - new Set(evidence.facts.map(({ key }) => key)).size,
    reusedKeys,
    undecryptable,
    problems: [
      ...lost,
      ...twice,
      ...outOfOrder(evidence),
      ...never.filter(([, count]) => count !== 0).map(([what, count]) => `${count} ${what}`),
      ...(resent > evidence.inFlight ? [`${resent} stanzas resent, ${evidence.inFlight} in flight`] : []),
      ...evidence.broken.map((reason) => `the worker gave up: ${reason}`),
    ],
  };
}

function lostIn({ written, facts }: Evidence): readonly string[] {
  const published = new Set(
    facts.flatMap((fact) =>
      fact.kind === 'message' && fact.content.type === 'text' ? [`${fact.stanzaId} ${fact.content.text.body}`] : [],
    ),
  );
  return written
    .filter(({ id, text }) => !published.has(`${id} ${text}`))
    .map(({ text }) => `"${text}" was written to us and not published`);
}

function lostOut({ accepted, shown, states, facts }: Evidence): readonly string[] {
  const results = new Set(
    facts.flatMap((fact) => (fact.kind === 'send_result' && fact.state === 'sent' ? [fact.messageId] : [])),
  );
  return accepted.flatMap(({ messageId, stanzaId, text, readers }) => [
    ...readers
      .filter((reader) => !(shown.get(reader) ?? []).some((entry) => entry.id === stanzaId && entry.text === text))
      .map((reader) => `"${text}" was accepted and is not shown to ${reader.slice(-4)}`),
    ...(states.get(messageId) === 'sent' ? [] : [`"${text}" ended as ${String(states.get(messageId))}`]),
    ...(results.has(messageId) ? [] : [`nobody was told that "${text}" was sent`]),
  ]);
}

function lostReceipts({ accepted, facts }: Evidence): readonly string[] {
  const receipts = facts.filter((fact) => fact.kind === 'receipt');
  const told = (stanzaId: string, state: string): number =>
    new Set(
      receipts.filter((fact) => fact.stanzaId === stanzaId && fact.state === state).map(({ recipient }) => recipient),
    ).size;
  return accepted.flatMap(({ stanzaId, text, readers, isRead }) => [
    ...(told(stanzaId, 'delivered') >= readers.length ? [] : [`nobody was told that "${text}" was delivered`]),
    ...(!isRead || told(stanzaId, 'read') > 0 ? [] : [`nobody was told that "${text}" was read`]),
  ]);
}

/** A fact may be published again, but under its key: that is how ingest knows it. */
function publishedTwice(facts: readonly Fact[]): readonly string[] {
  const keys = new Map<string, Set<string>>();
  for (const fact of facts) {
    if (fact.kind === 'status') continue;
    const { key, atMs: _atMs, ...told } = fact;
    const what = JSON.stringify(fact.kind === 'message' ? [fact.chat, fact.sender, fact.stanzaId] : told);
    keys.set(what, (keys.get(what) ?? new Set()).add(key));
  }
  return [...keys]
    .filter(([, found]) => found.size > 1)
    .map(([what, found]) => `published under ${found.size} keys: ${what}`);
}

function shownTwice({ accepted, shown }: Evidence): readonly string[] {
  return accepted.flatMap(({ text, readers }) =>
    readers
      .filter((reader) => (shown.get(reader) ?? []).filter((entry) => entry.text === text).length > 1)
      .map((reader) => `"${text}" is shown to ${reader.slice(-4)} more than once`),
  );
}

function outOfOrder({ written, facts }: Evidence): readonly string[] {
  const places = new Map(written.map(({ id }, place) => [id, place]));
  const published = new Set<string>(facts.flatMap((fact) => (fact.kind === 'message' ? [fact.stanzaId] : [])));
  const order = [...published].flatMap((id) => places.get(id) ?? []);
  const isOrdered = order.every((place, index) => place > (order[index - 1] ?? -1));
  return isOrdered ? [] : [`published in the order ${order.join(', ')} of their writing`];
}

function refusals({ refusals: counts }: Stats): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
