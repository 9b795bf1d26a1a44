import type { AskedOf, BodyOf, Content, OutboundContent } from '../content/content.ts';
import { toPollParts } from '../content/interactiveFallback.ts';
import { isChoice } from '../content/interactiveRequest.ts';
import { hashOfOption } from '../wire/openedKinds.ts';

/**
 * The votes of a poll, as the row of its message keeps them: of each voter the options that are chosen, by the beginning of
 * their hashes. A group has up to 1,024 members, so that a voter may take some seventy bytes.
 */
export type PollVotes = Readonly<Record<string, KeptVote>>;

interface KeptVote {
  readonly chosen: readonly string[];
  /** The other name of the voter, where it is known. */
  readonly alias?: string | undefined;
}

/** The characters of a hash that are kept: a poll has few options, and two of them never share so many. */
const HASH_CHARACTERS = 8;
/**
 * The most options that are kept of one voter. WhatsApp's polls have twelve; the row has room for so many of each voter, also
 * where all of them choose what is no option at all.
 */
const MOST_KEPT = 16;
/** The most voters that are counted: as many as a group has members, and half as many again. */
export const MOST_VOTERS = 1_536;
/** The name of the account itself among the voters. */
export const OWN_VOTE = 'me';

export interface Poll {
  readonly name: string;
  readonly options: readonly string[];
  /** How many options one may choose; 0 for as many as one likes. */
  readonly mostChosen: number;
  /** When nobody may vote any more, in ISO 8601; never where it is absent. */
  readonly endsAt?: string | undefined;
  /** Whether some of it is not kept, so that an option may be other than it is shown. */
  readonly isCut: boolean;
}

type PollBody = Partial<BodyOf<'poll'>>;

/** The poll that a content is, also where buttons or a list were sent as one; undefined for all else. */
export function pollIn(content: Content | OutboundContent): Poll | undefined {
  const { poll, interactive } = content as unknown as {
    readonly poll?: PollBody;
    readonly interactive?: AskedOf<'interactive'>;
  };
  if (interactive !== undefined && !isChoice(interactive) && interactive.fallback === 'poll') {
    return { ...toPollParts(interactive), mostChosen: 1, isCut: false };
  }
  if (content.type !== 'poll' || poll?.options === undefined) return undefined;
  const { name = '', options, selectable_count: mostChosen = 1, ends_at: endsAt, truncated } = poll;
  return { name, options, mostChosen, isCut: truncated === true, ...(endsAt === undefined ? {} : { endsAt }) };
}

export interface Vote {
  /** All names of the voter: LID, number, or `me`. */
  readonly voter: readonly string[];
  /** The hashes of the options, in hex. */
  readonly chosen: readonly string[];
}

/** The votes with one more, which takes the place of an earlier one of the same person under any name. */
export function withVote(votes: PollVotes, { voter, chosen }: Vote): PollVotes {
  const isOfVoter = ([name, { alias }]: readonly [string, KeptVote]): boolean =>
    voter.includes(name) || (alias !== undefined && voter.includes(alias));
  const others = Object.entries(votes).filter((one) => !isOfVoter(one));
  // A later vote may come under one name alone, where both were known before.
  const earlier = voter.length > 1 ? undefined : Object.entries(votes).find(isOfVoter);
  const [name, alias] = earlier === undefined ? voter : [earlier[0], earlier[1].alias];
  if (name === undefined || chosen.length === 0 || others.length >= MOST_VOTERS) return Object.fromEntries(others);
  const kept = chosen.slice(0, MOST_KEPT).map((hash) => hash.slice(0, HASH_CHARACTERS));
  return Object.fromEntries([...others, [name, { chosen: kept, ...(alias === undefined ? {} : { alias }) }]]);
}

export interface PollResult {
  readonly name: string;
  /** The people who chose it, each by all known names. */
  readonly voters: readonly (readonly string[])[];
}

/** Each option of a poll with those who chose it. */
export function resultsOf({ options }: Poll, votes: PollVotes): readonly PollResult[] {
  const entries = Object.entries(votes);
  return options.map((name) => {
    const hash = hashOfOption(name).slice(0, HASH_CHARACTERS);
    const voters = entries.filter(([, { chosen }]) => chosen.includes(hash));
    return { name, voters: voters.map(([voter, { alias }]) => (alias === undefined ? [voter] : [voter, alias])) };
  });
}

/** The options of a poll that some hashes mean, in the order of the poll, and the number of hashes that mean none. */
export function chosenOf(
  { options }: Poll,
  chosen: readonly string[],
): { readonly known: readonly string[]; readonly unknown: number } {
  // The writer of a poll may name an option twice: both are meant by one hash, and are one.
  const byHash = new Map(options.map((option) => [hashOfOption(option), option]));
  const known = [...byHash].filter(([hash]) => chosen.includes(hash)).map(([, option]) => option);
  return { known, unknown: chosen.filter((hash) => !byHash.has(hash)).length };
}
