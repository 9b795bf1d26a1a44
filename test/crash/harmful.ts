import type { Point } from './points.ts';

/** Points that did harm once. They are played for good, beside what a sample happens to choose. */
export const harmful: readonly Point[] = [
  // The step of the session was durable, and the sender key that it brought was not.
  { scenario: 'receive-group-first', plan: { call: 'store Put SIGNAL#1', when: 'after' } },
];
