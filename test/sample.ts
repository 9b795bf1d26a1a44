/**
 * A case of many: `npm test` plays a sample of deaths, texts and contents, always the same one; a proof plays all of them, in the same
 * files (`vitest.whole.config.ts`).
 */
export const playsAll = process.env['HOLDFAST_PLAY_ALL'] === '1';

/** Whether the case with this number is played: all of them in a proof, otherwise one of so many, the first among them. */
export function isPlayed(place: number, oneOf: number): boolean {
  return playsAll || place % oneOf === 0;
}

/** The cases that are played: all of them in a proof, otherwise one of so many, the first among them. */
export function played<Case>(cases: readonly Case[], oneOf: number): readonly Case[] {
  return cases.filter((_, place) => isPlayed(place, oneOf));
}

/** A number of runs: the greater one in a proof. */
export function runs(few: number, all: number): number {
  return playsAll ? all : few;
}
