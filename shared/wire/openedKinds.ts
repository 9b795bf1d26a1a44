import { createHash } from 'node:crypto';
import type { BodyOf } from '../content/content.ts';
import { integer, manyBytes, parts, shape, text } from './shape.ts';

/**
 * What stands in a sealed part once it is open. Who sealed it knew a secret, and may still have written nonsense: that is
 * undefined.
 */
const vote = shape({ chosen: manyBytes(1) });
const added = shape({ options: parts(1, shape({ name: text(1) })) });
const answer = shape({ response: integer(1), extraGuests: integer(3) });

/** The hash by which a vote names an option, in hex. */
export function hashOfOption(option: string): string {
  return createHash('sha256').update(option).digest('hex');
}

/** The most options that a vote is read with, as many as a poll is kept with; and the bytes of each hash. */
const MOST_CHOSEN = 64;
const HASH_BYTES = 32;

/** The hashes of the options that a vote chooses, in hex, each once. What is no hash chooses nothing. */
export function readVote(bytes: Uint8Array): readonly string[] | undefined {
  const read = vote.read(bytes);
  return read === 'malformed'
    ? undefined
    : [
        ...new Set(
          (read.chosen ?? [])
            .filter(({ length }) => length === HASH_BYTES)
            .slice(0, MOST_CHOSEN)
            .map(inHex),
        ),
      ];
}

function inHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** The options that somebody adds to a poll. */
export function readAddedOptions(bytes: Uint8Array): readonly string[] | undefined {
  const read = added.read(bytes);
  const names = read === 'malformed' ? [] : (read.options ?? []).flatMap(({ name }) => name ?? []);
  return names.length === 0 ? undefined : names;
}

const RESPONSES = ['unknown', 'going', 'not_going', 'maybe'] as const;

/** The answer to an event. */
export function readEventResponse(bytes: Uint8Array): BodyOf<'event_response'> | undefined {
  const read = answer.read(bytes);
  if (read === 'malformed') return undefined;
  const { response = 0, extraGuests } = read;
  return {
    response: RESPONSES[response] ?? 'unknown',
    ...(extraGuests === undefined ? {} : { extra_guests: extraGuests }),
  };
}
