import type { Action } from '../../action/action.ts';
import { toAction } from '../../action/actionStore.ts';
import type { EventId, MessageId } from '../../kernel/id.ts';
import { toMessage } from '../../message/messageItem.ts';
import { judgeFailure, refusalOf } from '../../platform/judgeFailure.ts';
import { withPart, type KeptPart } from '../../message/messageParts.ts';
import { handledFactKey, type ItemKey } from '../../platform/keys.ts';
import type { EventDraft } from '../event.ts';
import type { FactContext, FactPlan, Refusal, RowChange, StoredSubject } from '../facts/factRow.ts';
import { rowOf } from '../facts/factRows.ts';
import { besideOf, keysOf, marksOf, subjectOf, type FactInHand, type MarkPlace } from './factInHand.ts';
import { findEarly, findNamed } from './namedMessages.ts';
import { RowBeside } from './rowBeside.ts';
import { RowInHand, type Item, type NewEvent, type RowsRead } from './rowInHand.ts';
import { factHashOf, parseMark, type ToldMark } from './toldMark.ts';

/** An event that an earlier run of the same batch has written into the log, as it stands there. */
export interface ToldEvent {
  readonly fact: FactInHand;
  readonly eventId: EventId;
  readonly text: string;
}

/** A row that a fact makes, which needs no condition. */
export interface PlannedItem {
  readonly fact: FactInHand;
  readonly item: Item;
}

/** The change of another row that a fact brings. */
export interface PlannedChange {
  readonly fact: FactInHand;
  readonly change: RowChange;
}

/** What is to be done for some facts of one connection, in their order. */
export interface FactsPlan {
  readonly events: readonly (NewEvent | ToldEvent)[];
  /** The rows that change because of the new events; each new event has a mark in one of them. */
  readonly rows: readonly RowInHand[];
  readonly items: readonly PlannedItem[];
  readonly changes: readonly PlannedChange[];
  /** The rows beside those of messages that change, also where no event comes of it. */
  readonly beside: readonly RowBeside[];
  /** The facts on which no decision is possible. */
  readonly refused: readonly { readonly fact: FactInHand; readonly refusal: Refusal }[];
}

/**
 * Decides what becomes of some facts of one connection: a fold over them, so that each sees the rows as the facts before
 * it leave them. Pure. A fact is
 *
 * - *told*, if its mark names it in its own batch, and an event that is in the log: that event is delivered again;
 * - *told anew*, if its mark names it in its own batch, and a place that is void;
 * - *handled*, if its mark names another fact or batch, or an earlier fact of this run has taken it;
 * - *new* otherwise.
 *
 * @param settled the texts of the events that marks of these batches name; undefined for a place that is void
 */
export function planFacts(
  read: RowsRead,
  facts: readonly FactInHand[],
  settled: ReadonlyMap<EventId, string | undefined>,
  nowMs: number,
): FactsPlan {
  const rows = new Map<string, RowInHand>();
  const rowAt = (key: ItemKey): RowInHand => {
    const name = `${key.pk} ${key.sk}`;
    const row = rows.get(name) ?? new RowInHand(key, read.find(key));
    rows.set(name, row);
    return row;
  };
  const beside = new Map<string, RowBeside>();
  const besideAt = (key: ItemKey): RowBeside => {
    const row = beside.get(key.sk) ?? new RowBeside(key, read.find(key));
    beside.set(key.sk, row);
    return row;
  };
  const events: (NewEvent | ToldEvent)[] = [];
  const items: PlannedItem[] = [];
  const changes: PlannedChange[] = [];
  const made = new Map<string, MessageId>();
  const refused: { fact: FactInHand; refusal: Refusal }[] = [];
  for (const fact of facts) {
    try {
      const planned = planFact({ read, rowAt, besideAt, settled, nowMs, made }, fact);
      if (planned === undefined) continue;
      events.push(planned.event);
      items.push(...(planned.items ?? []).map((item) => ({ fact, item })));
      changes.push(...(planned.changes ?? []).map((change) => ({ fact, change })));
    } catch (error) {
      if (judgeFailure(error) === 'passing') throw error;
      refused.push({ fact, refusal: refusalOf(error) });
    }
  }
  return {
    events,
    rows: [...rows.values()].filter(({ isChanged }) => isChanged),
    items,
    changes,
    beside: [...beside.values()].filter((row) => row.facts.length > 0),
    refused,
  };
}

interface Fold {
  readonly read: RowsRead;
  readonly rowAt: (key: ItemKey) => RowInHand;
  readonly besideAt: (key: ItemKey) => RowBeside;
  readonly settled: ReadonlyMap<EventId, string | undefined>;
  readonly nowMs: number;
  /** The messages that these facts make, by the keys of their facts. */
  readonly made: Map<string, MessageId>;
}

interface PlannedFact extends Pick<Stored, 'items' | 'changes'> {
  readonly event: NewEvent | ToldEvent;
}
type Stored = Extract<FactPlan<EventDraft>, { plan: 'stored' }>;

function planFact(fold: Fold, fact: FactInHand): PlannedFact | undefined {
  const places = marksOf(fact);
  const [first] = places;
  if (first === undefined) return undefined;
  const own = ownMark(fold, fact, places);
  if (own === 'handled') {
    if (besideOf(fact) !== undefined) noteBeside(fold, fact, decide(fold, fact, { again: false, told: true }));
    return undefined;
  }
  const text = own === undefined ? undefined : fold.settled.get(own.eventId);
  if (own !== undefined && text !== undefined) {
    fold.rowAt(own.place.key).claim(own.place.attribute);
    return { event: { fact, eventId: own.eventId, text } };
  }
  const planned = decide(fold, fact, { again: own !== undefined, told: false });
  noteBeside(fold, fact, planned);
  if (planned.plan !== 'stored') return undefined;
  const { draft, step, items, changes, messageId, waits, leads = [] } = planned;
  const event: NewEvent = { fact, draft, body: JSON.stringify(draft) };
  const place = own?.place ?? first;
  const row = fold.rowAt(place.key);
  if (step !== undefined) row.change(step);
  row.mark(place.attribute, own?.text, event, messageId);
  if (messageId !== undefined) {
    for (const key of [...keysOf(fact), ...leads]) fold.made.set(key, messageId);
    for (const other of furtherRows(fold, fact, leads)) if (!other.isTaken) other.lead(messageId, fact);
  }
  if (waits !== undefined) {
    for (const other of furtherRows(fold, fact, waits.keys)) leaveWord(other, waits.part, fact);
  }
  return { event, ...(items === undefined ? {} : { items }), ...(changes === undefined ? {} : { changes }) };
}

/** Takes in what a fact changes on the row beside. */
function noteBeside({ besideAt }: Fold, fact: FactInHand, planned: FactPlan<EventDraft>): void {
  const key = besideOf(fact);
  if (key === undefined || planned.plan === 'ignored' || planned.beside === undefined) return;
  besideAt(key).change(planned.beside, fact);
}

function furtherRows({ rowAt }: Fold, { source }: FactInHand, keys: readonly string[]): readonly RowInHand[] {
  return keys.map((key) => rowAt(handledFactKey(source.connectionId, key)));
}

/** Where the other message is there, or its fact became none, or too many wait for it, the part stands alone. */
function leaveWord(row: RowInHand, part: KeptPart, fact: FactInHand): void {
  const waiting = withPart(row.waiting, part);
  if (!row.isTaken && waiting !== undefined && waiting !== row.waiting) row.wait(waiting, fact);
}

interface OwnMark {
  readonly place: MarkPlace;
  readonly text: string;
  readonly eventId: EventId;
}

/** The mark that an earlier run of the fact's own batch has left; `handled` where another fact was first. */
function ownMark(
  { rowAt }: Fold,
  { source, raw }: FactInHand,
  places: readonly MarkPlace[],
): OwnMark | 'handled' | undefined {
  let handled: 'handled' | undefined;
  for (const place of places) {
    const row = rowAt(place.key);
    const text = row.markText(place.attribute);
    const mark = parseMark(text);
    if (row.isClaimed(place.attribute)) handled = 'handled';
    else if (mark !== undefined && text !== undefined && isOf(mark, { source, raw })) {
      return { place, text, eventId: mark.eventId };
    } else if (mark !== undefined) handled = 'handled';
  }
  return handled;
}

function isOf(mark: ToldMark, { source, raw }: Pick<FactInHand, 'source' | 'raw'>): boolean {
  return mark.batchId === source.batchId && mark.factHash === factHashOf(raw);
}

function decide(fold: Fold, inHand: FactInHand, how: Pick<FactContext, 'again' | 'told'>): FactPlan<EventDraft> {
  const { source, fact } = inHand;
  const key = subjectOf({ source, fact });
  const item = key === undefined ? undefined : fold.rowAt(key).item;
  const row = rowOf(fact);
  const isAction = row.about !== undefined && 'actionId' in row.about(fact);
  const subject: StoredSubject = isAction ? { action: toActionOf(item) } : toSubject(item);
  const named = findNamed(fold.read, { source, fact }, fold.made);
  const besideKey = besideOf({ source, fact });
  const beside = besideKey === undefined ? undefined : fold.besideAt(besideKey).item;
  const waiting = marksOf(inHand).flatMap(({ key: own }) => fold.rowAt(own).waiting);
  const early = findEarly(fold.read, source, waiting);
  const context: FactContext = { origin: source, nowMs: fold.nowMs, ...how, named, beside, waiting, early, ...subject };
  // A row decides on no other events than the ones that it lists.
  return row.decide(fact, context) as FactPlan<EventDraft>;
}

function toActionOf(item: Item | undefined): Action | undefined {
  return item === undefined ? undefined : toAction(item);
}

function toSubject(item: Item | undefined): StoredSubject {
  if (item === undefined) return {};
  return { message: toMessage(item), triedUnder: item['token'] as number | undefined };
}
