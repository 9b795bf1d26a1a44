import { classOf, moments, type FaultPlan } from './portWatch.ts';

/** One crash: a scenario, and where in it the worker dies. */
export interface Point {
  readonly scenario: string;
  readonly plan: FaultPlan;
}

/** The calls of some recordings, each once. What one run did not call, another may have. */
export function mergeCalls(recordings: readonly (readonly string[])[]): readonly string[] {
  return [...new Set(recordings.flat())];
}

/** Every point of a scenario: before and after each call that was recorded. */
export function allPoints(scenario: string, calls: readonly string[]): readonly Point[] {
  return calls.flatMap((call) => moments.map((when) => ({ scenario, plan: { call, when } })));
}

/**
 * What a sample tells apart: writes by what they write, reads by their verb alone, since a crash at one spoils nothing that
 * a crash at the next would not; stanzas by their tag.
 */
export function kindOf(call: string): string {
  const [port, verb, ...what] = classOf(call).split(' ');
  if (port === 'store' && /Get$|^Query$/.test(verb ?? '')) return `store ${verb}`;
  return [port, verb, ...(port === 'socket' ? what.slice(0, 1) : what)].join(' ');
}

/**
 * A few points that hold each kind of call at least once before and once after its effect. They are spread over the
 * scenarios, and over the places that a kind has in one.
 */
export function samplePoints(recordings: ReadonlyMap<string, readonly string[]>): readonly Point[] {
  const callsOf = new Map<string, Map<string, string[]>>();
  for (const [scenario, calls] of recordings) {
    for (const call of calls) {
      const places = callsOf.get(kindOf(call)) ?? new Map<string, string[]>();
      places.set(scenario, [...(places.get(scenario) ?? []), call]);
      callsOf.set(kindOf(call), places);
    }
  }
  const chosen: Point[] = [];
  const load = (scenario: string): number => chosen.filter((point) => point.scenario === scenario).length;
  // Kinds with the fewest scenarios choose first: the others can go elsewhere.
  for (const places of [...callsOf.values()].sort((left, right) => left.size - right.size)) {
    for (const [turn, when] of moments.entries()) {
      const [scenario, calls] = [...places].sort(([left], [right]) => load(left) - load(right))[0] ?? [];
      const call = calls?.[Math.floor(((turn + 0.5) * calls.length) / moments.length)];
      if (scenario !== undefined && call !== undefined) chosen.push({ scenario, plan: { call, when } });
    }
  }
  return chosen;
}

/** The class of a call in a table: its port and what is asked of it. */
export function portOf(call: string): string {
  return classOf(call).split(' ').slice(0, 2).join(' ');
}

/** The command that plays one crash again. */
export function replayCommand({ scenario, plan }: Point): string {
  return `npm run crash -- --scenario ${scenario} --call '${plan.call}' --when ${plan.when}`;
}
