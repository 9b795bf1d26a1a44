/**
 * The row of a tenant's streams: how many each process has, and their sum. Pure; `streamPlaces.ts` writes what is decided here.
 *
 * | a write was refused, and the row says           | then                                         |
 * | ----------------------------------------------- | -------------------------------------------- |
 * | that this process has another number            | it goes on from that number                  |
 * | that the time of another process is over        | that one's streams are taken out of it       |
 * | neither, and there is room for some             | it asks for so many                          |
 * | neither, and there is none                      | there is none                                |
 */
export interface StreamPlaceRow {
  readonly total: number;
  readonly processes: ReadonlyMap<string, ProcessStreams>;
}

/** The streams of one process, and until when they count if it does not say so again. */
export interface ProcessStreams {
  readonly count: number;
  readonly untilMs: number;
}

const COUNT = 'count#';
const UNTIL = 'until#';

/** The names of the attributes of a process. */
export const attributesOf = (process: string) =>
  ({ count: `${COUNT}${process}`, until: `${UNTIL}${process}` }) as const;

/** Reads the row; one that is not there has nobody in it. */
export function toStreamPlaceRow(item: Readonly<Record<string, unknown>>): StreamPlaceRow {
  const processes = new Map<string, ProcessStreams>();
  for (const [name, count] of Object.entries(item)) {
    if (!name.startsWith(COUNT)) continue;
    const process = name.slice(COUNT.length);
    processes.set(process, { count: Number(count), untilMs: Number(item[attributesOf(process).until] ?? 0) });
  }
  return { total: Number(item['total'] ?? 0), processes };
}

export type Refusal =
  | { readonly because: 'other_number'; readonly count: number }
  | { readonly because: 'dead'; readonly dead: readonly (ProcessStreams & { readonly process: string })[] }
  | { readonly because: 'full'; readonly room: number };

/** Finds out why a write was refused. @param stored how many streams the process had by its own account */
export function judgeRefusal(
  { total, processes }: StreamPlaceRow,
  { process, stored, most, nowMs }: ForProcess,
): Refusal {
  const count = processes.get(process)?.count ?? 0;
  if (count !== stored) return { because: 'other_number', count };
  const dead = [...processes]
    .filter(([name, { untilMs }]) => name !== process && untilMs <= nowMs)
    .map(([name, streams]) => ({ process: name, ...streams }));
  if (dead.length > 0) return { because: 'dead', dead };
  return { because: 'full', room: Math.max(0, most - total) };
}

interface ForProcess {
  readonly process: string;
  readonly stored: number;
  readonly most: number;
  readonly nowMs: number;
}
