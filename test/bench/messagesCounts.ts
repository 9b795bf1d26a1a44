import type { SeenEvent } from './messagesReceiver.ts';
import type { LinkedAccount, MessagesSide } from './messagesSide.ts';

/** A text that was accepted. */
export interface Sent {
  readonly account: LinkedAccount;
  readonly text: string;
  readonly messageId: string;
  readonly dueMs: number;
  readonly answeredMs: number;
}

/** A text that a customer wrote. */
export interface Written {
  readonly account: LinkedAccount;
  readonly text: string;
  /** When its phone sent it. */
  atMs: number;
}

/** What must not happen, counted. */
export interface Faults {
  readonly lost: number;
  readonly doubled: number;
  readonly outOfOrder: number;
}

/** The value below which this share of the values is; NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/**
 * Compares what was meant with what came, chat by chat.
 * @param meant texts of each chat in their order @param came texts of each chat in the order in which they are shown
 */
export function faultsOf(
  meant: ReadonlyMap<string, readonly string[]>,
  came: ReadonlyMap<string, readonly string[]>,
): Faults {
  let [lost, doubled, outOfOrder] = [0, 0, 0];
  for (const [chat, texts] of meant) {
    const places = new Map(texts.map((text, place) => [text, place]));
    const seen = new Set<string>();
    let latest = -1;
    for (const text of came.get(chat) ?? []) {
      const place = places.get(text);
      if (place === undefined) continue;
      if (seen.has(text)) doubled += 1;
      else if (place < latest) outOfOrder += 1;
      seen.add(text);
      latest = Math.max(latest, place);
    }
    lost += texts.length - seen.size;
  }
  return { lost, doubled, outOfOrder };
}

/** Holds what was accepted against what the phones show and what webhooks told of each message, once and in order. */
export async function countSent(
  side: MessagesSide,
  sent: readonly Sent[],
): Promise<{ readonly shownAtMs: readonly number[]; readonly faults: Faults }> {
  const texts = new Set(sent.map(({ text }) => text));
  const customers = new Set(sent.map(({ account }) => account.customer));
  const shown = (
    await Promise.all(
      [...customers].map(async (customer) =>
        (await side.whatsApp.messages(customer))
          .filter(({ fromMe, text }) => !fromMe && texts.has(text))
          .map(({ chat, text, at }) => ({ chat, text, at })),
      ),
    )
  ).flat();
  const onPhones = faultsOf(
    grouped(sent, ({ account }) => account.number),
    grouped(shown, ({ chat }) => chat),
  );
  const told = faultsOf(
    new Map(sent.map(({ messageId }) => [messageId, side.tells])),
    new Map(
      [...Map.groupBy(side.receiver.events, ({ messageId }) => messageId)].map(([id, events]) => [
        id,
        events.toSorted(byId).map(({ status }) => status),
      ]),
    ),
  );
  return { shownAtMs: shown.map(({ at }) => at), faults: sumOf(onPhones, told) };
}

/** Holds what customers wrote against the events that came; the order is that of the events' ids, which is promised. */
export function countReceived(
  written: readonly Written[],
  events: readonly SeenEvent[],
): { readonly faults: Faults; readonly latenciesMs: readonly number[] } {
  const writtenAtMs = new Map(written.map(({ text, atMs }) => [text, atMs]));
  const latenciesMs = events.flatMap(({ text, atMs }) => {
    const fromMs = writtenAtMs.get(text);
    return fromMs === undefined ? [] : [atMs - fromMs];
  });
  const faults = faultsOf(
    grouped(written, ({ account }) => account.id),
    grouped(events.toSorted(byId), ({ connectionId }) => connectionId),
  );
  return { faults, latenciesMs };
}

function byId(left: SeenEvent, right: SeenEvent): number {
  return left.id < right.id ? -1 : Number(left.id > right.id);
}

function grouped<Entry extends { readonly text: string }>(
  entries: readonly Entry[],
  chatOf: (entry: Entry) => string,
): ReadonlyMap<string, readonly string[]> {
  return new Map([...Map.groupBy(entries, chatOf)].map(([chat, group]) => [chat, group.map(({ text }) => text)]));
}

function sumOf(...all: readonly Faults[]): Faults {
  return all.reduce(
    (sum, faults) => ({
      lost: sum.lost + faults.lost,
      doubled: sum.doubled + faults.doubled,
      outOfOrder: sum.outOfOrder + faults.outOfOrder,
    }),
    { lost: 0, doubled: 0, outOfOrder: 0 },
  );
}
