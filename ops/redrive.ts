import { deadQueueOf, type LetterKind } from '../shared/deadLetters/deadLetter.ts';
import { settleDeadLetters, type SettleDependencies } from '../shared/deadLetters/settleDeadLetters.ts';
import { depthOf } from './queueDepths.ts';

/** The outcome for the dead letters of one kind. */
export interface Redriven {
  readonly kind: LetterKind;
  readonly moved: number;
  /** The number of dead letters that stay where they are: the connection is gone, or nobody can read them. */
  readonly left: number;
}

/**
 * Sends dead letters of one kind to the queues that they came from, oldest first, and then removes them. Takes at most as
 * many as there are when it begins, so letters that die again meanwhile do not go round in circles. A letter is sent before
 * it is removed (`settleDeadLetters`). Rejects when a queue does not answer; what was moved by then is moved.
 */
export async function redrive(
  dependencies: SettleDependencies,
  kind: LetterKind,
  options: { readonly limit: number; readonly by: string },
): Promise<Redriven> {
  const { waiting } = await depthOf(dependencies, deadQueueOf(kind, dependencies.stage));
  const most = Math.min(waiting, options.limit);
  let [moved, left] = [0, 0];
  // A turn has a time limit. What stays is let go with each of them, so a turn that moves nothing is the last.
  for (let before = -1; moved < most && moved > before;) {
    before = moved;
    const rest = { looked: most - moved, settled: most - moved };
    const asked = { act: 'redrive', by: options.by, isMeant: () => true, most: rest } as const;
    const { settled, stay } = await settleDeadLetters(dependencies, kind, asked);
    moved += settled.length;
    left = stay.length;
  }
  return { kind, moved, left };
}
