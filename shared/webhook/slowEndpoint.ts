import type { Endpoint } from './endpoint.ts';

/**
 * Endpoints whose receivers take their time. A post that waits for its answer holds the batch that it is in, and a function has so many
 * batches under way and no more. So what goes to a slow endpoint goes through a queue of its own, which has a small part of the function:
 * however long these posts last, they hold nothing of what is for others.
 *
 * An endpoint is slow from the moment on at which one post has waited a second, and for a minute after the last such post. That stands in
 * its record, and not in a process: others learn of it within the second for which they remember an endpoint that is well.
 *
 * | the endpoint                                | is slow                                                     |
 * | ------------------------------------------- | ----------------------------------------------------------- |
 * | answers within a second                     | no                                                          |
 * | had a post that took longer, a minute ago   | yes, also where the answer was 2xx                          |
 * | had one before that, and has failed since   | yes: whether it hangs still, a trial of its breaker finds out |
 * | had one before that, and took the next ones | no                                                          |
 *
 * A delivery is put into that queue by the function that finds the endpoint slow, without a post and without an attempt. It is given out
 * anew there, so it has with it how often it was given out before.
 *
 * Posts that are under way when a receiver begins to hang are as many as it was sent in those two seconds, each in a batch of its own where
 * events come one by one. Of all batches of the usual queue two at once may wait longer than a second (`patientPlaces.ts`):
 *
 * | a post has waited a second, and its batch | then                                                                         |
 * | ----------------------------------------- | ---------------------------------------------------------------------------- |
 * | is of the queue of slow endpoints         | it goes on                                                                   |
 * | has a place, or finds one free            | it goes on                                                                   |
 * | finds none                                | it is left, and made anew in that queue: no attempt, no failure, same number |
 *
 * Were each left, whoever answers well after a second and a half would have the first event of each minute twice. Were one of each endpoint
 * to go on, a tenant with ten that begin to hang together would hold all batches. Two places are for the first, and bound the second; who
 * begins to hang takes them for ten seconds, and what is left of others meanwhile comes twice under its id.
 */
export const slowRule = { afterMs: 1_000, forMs: 60_000 } as const;

/** Whether what goes to an endpoint is to go through the queue of slow ones. */
export function isSlow({ slowUntilMs, breaker }: Pick<Endpoint, 'slowUntilMs' | 'breaker'>, nowMs: number): boolean {
  if (slowUntilMs === undefined) return false;
  return slowUntilMs > nowMs || breaker.failures > 0 || breaker.openUntilMs !== undefined;
}

/** Whether it is to be noted that an endpoint is slow. One write for half a minute is enough, however many posts wait. */
export function isNewlySlow({ slowUntilMs = 0 }: Pick<Endpoint, 'slowUntilMs'>, nowMs: number): boolean {
  return slowUntilMs < nowMs + slowRule.forMs / 2;
}
