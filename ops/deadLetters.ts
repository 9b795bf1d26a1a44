import { isChosen, readDeadLetters, type LetterChoice } from '../shared/deadLetters/readDeadLetters.ts';
import { deadReasons, kindOfLetterId, letterKinds, type DeadLetter } from '../shared/deadLetters/deadLetter.ts';
import { settleDeadLetters, type LetterAct, type SettleDependencies } from '../shared/deadLetters/settleDeadLetters.ts';
import { BadInput, columns, counted, span } from './sentence.ts';

/** The lines of the view of dead letters: how many there are of each kind, and those that are looked for. */
export async function deadLetterLines(
  dependencies: SettleDependencies,
  choice: LetterChoice,
  limit: number,
): Promise<readonly string[]> {
  const { letters, counts, hasMore } = await readDeadLetters(dependencies, choice, limit);
  const nowMs = dependencies.clock.nowMs();
  return [
    `Dead letters: ${letterKinds.map((kind) => `${kind} ${counts[kind]}`).join(', ')}`,
    ...(letters.length === 0 ? [] : ['', ...table(letters, nowMs)]),
    ...(hasMore ? ['', 'There are more: name a kind or a tenant, or a higher --limit.'] : []),
  ];
}

function table(letters: readonly DeadLetter[], nowMs: number): readonly string[] {
  const cells = letters.map((letter) => [
    letter.letterId,
    span(nowMs - letter.sinceMs),
    withError(letter),
    letter.what ?? '-',
    letter.tenantId ?? '-',
    letter.connectionId ?? letter.webhookId ?? '-',
    letter.messageId ?? letter.actionId ?? letter.mediaId ?? letter.eventId ?? '-',
  ]);
  const reasons = [...new Set(letters.map(({ reason }) => reason))];
  return [
    ...columns(['id', 'age', 'reason', 'what', 'tenant', 'connection or webhook', 'about'], cells),
    '',
    ...reasons.map((reason) => `${reason}: ${deadReasons[reason]}`),
  ];
}

/** The reason, with how the last attempt failed. */
function withError({ reason, lastFailure }: DeadLetter): string {
  const error = lastFailure?.httpStatus ?? lastFailure?.reason;
  return error === undefined ? reason : `${reason} (${error})`;
}

/** How many letters of a kind one turn looks through. */
const LOOKED_AT = 1_000;

/**
 * Redrives or discards letters: those with the ids, or all that are chosen. Returns a line for each kind. Throws BadInput
 * for what is no id.
 */
export async function settleLines(
  dependencies: SettleDependencies,
  choice: LetterChoice,
  asked: { readonly act: LetterAct; readonly which: string; readonly by: string },
): Promise<readonly string[]> {
  const { act, which, by } = asked;
  const ids = which === 'all' ? undefined : new Set(which.split(','));
  const stray = [...(ids ?? [])].find((id) => kindOfLetterId(id) === undefined);
  if (stray !== undefined) throw new BadInput(`"${stray}" is no id of a dead letter; "all" means all that are chosen.`);
  const lines: string[] = [];
  for (const kind of choice.kinds ?? letterKinds) {
    if (ids !== undefined && ![...ids].some((id) => kindOfLetterId(id) === kind)) continue;
    const { settled, stay, hasMore } = await settleDeadLetters(dependencies, kind, {
      act,
      by,
      isMeant: ({ letter }) => (ids === undefined ? isChosen(choice, letter) : ids.has(letter.letterId)),
      most: { looked: LOOKED_AT, settled: LOOKED_AT, meant: ids?.size },
    });
    const done = act === 'redrive' ? 'sent again' : 'discarded';
    const left = stay.length === 0 ? '' : `; ${counted(stay.length, 'letter')} can go nowhere`;
    lines.push(
      `${kind}: ${counted(settled.length, 'letter')} ${done}${left}${hasMore && ids === undefined ? '; there may be more' : ''}`,
    );
  }
  return lines;
}
