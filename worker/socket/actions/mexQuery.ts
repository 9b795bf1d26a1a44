import { getBinaryNodeChild, QueryIds } from '@whiskeysockets/baileys';
import { z } from 'zod';
import { answerTo } from '../port/answerTo.ts';
import { textIn } from '../wire/foreignText.ts';
import type { Asking } from './asking.ts';
import { aNode } from './groupQuery.ts';

/** Questions that WhatsApp answers in JSON, each by its number. Sources of the numbers: Baileys; that of the list: whatsmeow. */
const numbers = {
  find: QueryIds.METADATA,
  follow: QueryIds.FOLLOW,
  unfollow: QueryIds.UNFOLLOW,
  list: '6388546374527196',
} as const;

/** The greatest answer that is read, in bytes: WhatsApp's client lets nobody follow thousands of channels. */
const MOST_BYTES = 4 * 1_024 * 1_024;

const answered = z.object({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z
    .array(z.object({ extensions: z.object({ error_code: z.number().int().optional().catch(undefined) }).nullish() }))
    .nullish(),
});

/** WhatsApp answered such a question with an error: in the form of the refusals of Baileys, whose `data` is the number. */
class MexRefusal extends Error {
  override readonly name = 'MexRefusal';
  readonly data: number;

  constructor(code: number) {
    super(`the question was refused with ${code}`);
    this.data = code;
  }
}

/** WhatsApp's number for what it refuses without saying why. */
const BAD_REQUEST = 400;

/**
 * Asks, and returns the part of the answer that is called so; undefined where there is none. Throws the refusal, or
 * `TimeoutError` for silence.
 */
export async function askMex(
  asking: Pick<Asking, 'socket' | 'queryTimeoutMs' | 'makeTag'>,
  question: keyof typeof numbers,
  variables: object,
  part: string,
): Promise<unknown> {
  const query = aNode('query', { query_id: numbers[question] }, Buffer.from(JSON.stringify({ variables })));
  const attrs = { id: asking.makeTag(), to: 's.whatsapp.net', type: 'get', xmlns: 'w:mex' };
  const result = getBinaryNodeChild(await answerTo(asking, { tag: 'iq', attrs, content: [query] }), 'result');
  const parsed = answered.safeParse(parse(textIn(result?.content) ?? ''));
  if (!parsed.success) return undefined;
  const { data, errors } = parsed.data;
  if (errors !== undefined && errors !== null && errors.length > 0) {
    throw new MexRefusal(errors[0]?.extensions?.error_code ?? BAD_REQUEST);
  }
  return data?.[part] ?? undefined;
}

function parse(text: string): unknown {
  if (text.length > MOST_BYTES) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
