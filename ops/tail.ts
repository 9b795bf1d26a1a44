import { z } from 'zod';
import { ApiClient } from '../infra/local/apiClient.ts';
import { withDeadline } from '../shared/kernel/deadline.ts';
import { forTerminal } from '../shared/kernel/forTerminal.ts';
import type { Surroundings } from '../shared/platform/surroundings.ts';
import { problemOf } from './readFleet.ts';
import { Failed } from './sentence.ts';

export interface TailOptions extends Pick<Surroundings, 'clock'> {
  /** The address of the API, without a slash at the end. */
  readonly url: string;
  /** A key of the tenant: an operator's opens no events. */
  readonly key: string;
  /** Types of events with commas between; all where it is left out. */
  readonly types: string | undefined;
  /** The place to begin behind; the present where it is left out. */
  readonly after: string | undefined;
  readonly colours: boolean;
  readonly say: (line: string) => void;
  /** Ends it between two events; a person ends it by Ctrl-C. */
  readonly signal?: AbortSignal | undefined;
}

const OPEN_MS = 10_000;
/** A stream says each 15 s that it is there; one that is silent for so long is cut, in milliseconds. */
const SILENT_MS = 40_000;
const AGAIN_MS = 1_000;
const ticketSchema = z.object({ url: z.string() });

/**
 * Follows the events of a tenant, one line for each, until it is ended. A stream that ends or breaks is opened again behind
 * the last event, so none is missed. Throws Failed where the API refuses.
 */
export async function tail(options: TailOptions): Promise<void> {
  let after = options.after;
  const isOver = (): boolean => options.signal?.aborted === true;
  while (!isOver()) {
    const response = await open(options, after);
    try {
      for await (const block of blocksOf(response)) {
        after = fieldOf(block, 'id') ?? after;
        const [type, data] = [fieldOf(block, 'event'), fieldOf(block, 'data')];
        if (type === 'reset' || type === 'end') options.say(toNote(type, data));
        else if (data !== undefined) options.say(toLine(data, options.colours));
        if (isOver()) return;
      }
    } catch (error) {
      options.say(`(the stream broke and is opened again: ${(error as Error).message})`);
    }
    await options.clock.sleep(AGAIN_MS, options.signal);
  }
}

async function open({ url, key, types }: TailOptions, after: string | undefined): Promise<Response> {
  const answer = await new ApiClient(url, key).call('POST', '/v1/events/stream-tickets', {});
  if (answer.status >= 400) throw new Failed(problemOf(answer, url));
  const address = new URL(ticketSchema.parse(answer.json).url, url);
  if (types !== undefined) address.searchParams.set('types', types);
  if (after !== undefined) address.searchParams.set('after', after);
  const response = await withDeadline('the stream to open', OPEN_MS, (signal) => fetch(address, { signal }));
  if (response.status === 200) return response;
  const problem = (await response.json()) as { readonly detail?: unknown };
  throw new Failed(`The stream was refused. ${String(problem.detail)}`);
}

/** The blocks of a stream. Throws when nothing comes for longer than it may. */
async function* blocksOf(response: Response): AsyncGenerator<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await withDeadline('the next beat', SILENT_MS, () => reader.read());
      if (done) return;
      const blocks = `${rest}${decoder.decode(value as Uint8Array, { stream: true })}`.split('\n\n');
      rest = blocks.pop() ?? '';
      yield* blocks;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function fieldOf(block: string, name: string): string | undefined {
  const line = block.split('\n').find((one) => one.startsWith(`${name}: `));
  return line?.slice(name.length + 2);
}

function toNote(type: string, data: string | undefined): string {
  const { sentence } = JSON.parse(data ?? '{}') as { readonly sentence?: string };
  return `(${type}: ${forTerminal(sentence ?? '')})`;
}

/** The colour of each family of events, by the first word of the type. */
const COLOURS: Readonly<Record<string, number>> = {
  connection: 36,
  message: 32,
  call: 35,
  action: 34,
  media: 33,
  bulk_send: 34,
  chat: 33,
};
const SHOWN = 160;

/** One event as a line: when it happened, what, on which connection, and the beginning of what it says. The function is pure. */
export function toLine(data: string, colours: boolean): string {
  const event = JSON.parse(data) as {
    readonly occurredAt: string;
    readonly type: string;
    readonly connectionId: string;
    readonly data: unknown;
  };
  const colour = COLOURS[event.type.split('.')[0] ?? ''];
  const type = event.type.padEnd(22);
  const shown = colours && colour !== undefined ? `\u001b[${colour}m${type}\u001b[0m` : type;
  const said = forTerminal(JSON.stringify(event.data));
  const short = said.length > SHOWN ? `${said.slice(0, SHOWN)}…` : said;
  return `${forTerminal(event.occurredAt)}  ${shown}  ${forTerminal(event.connectionId)}  ${short}`;
}
