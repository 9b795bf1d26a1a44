import { HostileStage, MALLORY, SHOP, stanzaIdOf, type LoggedEvent } from './hostileStage.ts';
import { drawLot, eventsOf, LOT, type Plaintext } from './plaintexts.ts';

/** What became of plaintexts that went all the way: as real messages, through every process. */
export interface ThroughOutcome {
  readonly cases: number;
  readonly events: number;
  readonly silent: number;
  readonly neighbours: number;
  readonly faults: readonly string[];
}

/** After so many the neighbour writes. */
const AT_ONCE = 20;
/** After so many everything is looked at. */
const LOOKED_AT = 200;
/** The frames of a WebSocket are not what is tried here. */
const LONGEST = 1_000_000;

/** Brings plaintexts of a seed through the embedded stack. Each must give one event, and leave everything else as it was. */
export async function bringThrough(
  seed: number,
  count: number,
  say: (line: string) => void = () => undefined,
): Promise<ThroughOutcome> {
  const stage = await HostileStage.start();
  try {
    const outcome = await bringAll(stage, seed, count, say);
    return outcome;
  } finally {
    await stage.stop();
  }
}

async function bringAll(
  stage: HostileStage,
  seed: number,
  count: number,
  say: (line: string) => void,
): Promise<ThroughOutcome> {
  let [brought, silent, events, neighbours] = [0, 0, 0, 0];
  const faults: string[] = [];
  // The inputs are taken from the far end, so that they are other ones than those that stay in memory.
  for (let lot = -1; brought < count; lot -= 1) {
    const all = drawLot(seed, lot, Math.min(LOT, count - brought)).filter(({ bytes }) => bytes.length < LONGEST);
    for (let from = 0; from < all.length; from += LOOKED_AT) {
      const some = all.slice(from, from + LOOKED_AT);
      const told = await bringSome(stage, some, brought);
      brought += some.length;
      events += told.events;
      silent += told.silent;
      neighbours += told.neighbours;
      faults.push(...told.faults);
      say(`${brought} went all the way, ${faults.length} faults`);
    }
  }
  return { cases: brought, events, silent, neighbours, faults };
}

/** @param offset number of the first, so that each has an id of its own */
export async function bringSome(stage: HostileStage, some: readonly Plaintext[], offset: number) {
  const faults: string[] = [];
  let neighbours = 0;
  const look = async (check: () => Promise<void>): Promise<void> =>
    check().catch((error: unknown) => void faults.push((error as Error).message));
  const idOf = (index: number): string => `FUZZ-${offset + index}`;
  for (const [index, { bytes, isPadded }] of some.entries()) {
    const plaintext = bytes.toString('base64');
    await stage.phones.raw(MALLORY, { to: SHOP, plaintext, padded: !isPadded, id: idOf(index) });
    if (index % AT_ONCE !== AT_ONCE - 1 && index !== some.length - 1) continue;
    await look(() => stage.assertNeighbourHeard());
    neighbours += 1;
  }
  await look(() => stage.assertAcknowledged());
  await look(() => stage.assertHeld());
  const counts = countById(await stage.log());
  let [events, silent] = [0, 0];
  for (const [index, plaintext] of some.entries()) {
    const count = counts.get(idOf(index)) ?? 0;
    events += count;
    if (count === 0) silent += 1;
    const gives = eventsOf(plaintext);
    if (count > (gives === 'none' ? 0 : 1) || (count === 0 && gives === 'one')) {
      faults.push(`${count} events for a ${plaintext.kind}: ${plaintext.bytes.toString('base64').slice(0, 400)}`);
    }
  }
  return { events, silent, neighbours, faults };
}

function countById(log: readonly LoggedEvent[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const event of log) {
    if (event.type !== 'message.received') continue;
    counts.set(stanzaIdOf(event), (counts.get(stanzaIdOf(event)) ?? 0) + 1);
  }
  return counts;
}
