import { z } from 'zod';
import type { BodyOf } from '../content/content.ts';

/** One place of a live location that a newer one has followed. */
export interface TrailPlace {
  readonly latitude: number;
  readonly longitude: number;
  readonly sequence: number;
  readonly atMs: number;
}

/** The most earlier places that are kept of a live location: the newest ones. */
export const MOST_PLACES = 50;

/** The trail when a newer place has come: the one so far is its last. */
export function withPlace(
  trail: readonly TrailPlace[],
  { latitude, longitude, sequence = 0 }: BodyOf<'live_location'>,
  atMs: number,
): readonly TrailPlace[] {
  const others = trail.filter((place) => place.sequence !== sequence);
  return [...others, { latitude, longitude, sequence, atMs }].slice(-MOST_PLACES);
}

/** A trail as the API shows it. */
export const trailSchema = z
  .array(z.object({ latitude: z.number(), longitude: z.number(), at: z.iso.datetime() }))
  .meta({ description: `Earlier places of a live location, the oldest first: the last ${MOST_PLACES}.` });

export function toShownTrail(trail: readonly TrailPlace[]): z.infer<typeof trailSchema> {
  return trail.map(({ latitude, longitude, atMs }) => ({ latitude, longitude, at: new Date(atMs).toISOString() }));
}
