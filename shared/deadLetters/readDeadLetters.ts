import { letterKinds, type DeadLetter, type LetterKind } from './deadLetter.ts';
import { countLetters, letGo, takeLetters, type LetterDependencies, type LetterInHand } from './lettersInHand.ts';

/** What is looked for; a part that is left out leaves none out. */
export interface LetterChoice {
  readonly kinds?: readonly LetterKind[] | undefined;
  readonly tenantId?: string | undefined;
  readonly connectionId?: string | undefined;
}

/** Dead letters as they are shown. */
export interface DeadLetterView {
  /** The letters that were found, oldest first. */
  readonly letters: readonly DeadLetter[];
  /** How many there are of each kind, whatever was looked for. SQS counts approximately. */
  readonly counts: Readonly<Record<LetterKind, number>>;
  /** Whether there may be more than were looked at. */
  readonly hasMore: boolean;
}

/** Whether a letter is one that is looked for. */
export function isChosen({ kinds = letterKinds, tenantId, connectionId }: LetterChoice, letter: DeadLetter): boolean {
  return (
    kinds.includes(letter.kind) &&
    (tenantId === undefined || tenantId === letter.tenantId) &&
    (connectionId === undefined || connectionId === letter.connectionId)
  );
}

/** How many letters of one kind a look goes through, at most. */
export const LOOKED_THROUGH = 1_000;

/**
 * Looks through the dead letters, and lets them go again. For the seconds that it takes nobody else sees them: a redrive at
 * the same moment leaves them, and finds them when it is repeated.
 * @param limit how many are shown of each kind
 */
export async function readDeadLetters(
  dependencies: LetterDependencies,
  choice: LetterChoice,
  limit: number,
): Promise<DeadLetterView> {
  const { kinds = letterKinds } = choice;
  const [looks, counted] = await Promise.all([
    Promise.all(kinds.map((kind) => lookThrough(dependencies, kind, choice, limit))),
    Promise.all(letterKinds.map(async (kind) => [kind, await countLetters(dependencies, kind)] as const)),
  ]);
  const letters = looks.flatMap(({ found }) => found);
  return {
    letters: letters.sort((left, right) => left.sinceMs - right.sinceMs),
    counts: Object.fromEntries(counted) as Record<LetterKind, number>,
    hasMore: looks.some(({ isWhole }) => !isWhole),
  };
}

async function lookThrough(
  dependencies: LetterDependencies,
  kind: LetterKind,
  choice: LetterChoice,
  limit: number,
): Promise<{ readonly found: readonly DeadLetter[]; readonly isWhole: boolean }> {
  const there = await countLetters(dependencies, kind);
  if (there === 0) return { found: [], isWhole: true };
  const taken: LetterInHand[] = [];
  const found: DeadLetter[] = [];
  try {
    for await (const some of takeLetters(dependencies, kind, LOOKED_THROUGH)) {
      taken.push(...some);
      found.push(...some.map(({ letter }) => letter).filter((letter) => isChosen(choice, letter)));
      // Another receive would only wait for letters that are not there.
      if (found.length > limit || taken.length >= there) break;
    }
  } finally {
    await letGo(dependencies, kind, taken);
  }
  return { found: found.slice(0, limit), isWhole: found.length <= limit && taken.length >= there };
}
