import { Agent, fetch, type Response } from 'undici';

/** One block of an event stream, as its client sees it. */
export interface Frame {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: string | undefined;
}

/** Each request has a connection of its own: one that stays open for the next request would hold up a process that is drained. */
const dispatcher = new Agent({ pipelining: 0 });

/** A client of a stream that keeps all frames, and can be cut off at any moment. */
export class StreamClient {
  readonly frames: Frame[] = [];
  /** How long after it happened each event came that happened while the stream was open, in milliseconds. */
  readonly delaysMs: number[] = [];
  readonly #openedAtMs = Date.now();
  readonly status: number;
  readonly headers: Headers;
  /** What a stream that was refused has answered. */
  readonly problem: Record<string, unknown> | undefined;
  readonly #stop: AbortController;
  /** Settles when the stream has ended: `cut` by this client, or `ended` by the server. */
  readonly over: Promise<'cut' | 'ended' | 'broken'>;

  private constructor(response: Response, stop: AbortController, problem: Record<string, unknown> | undefined) {
    this.status = response.status;
    this.headers = response.headers;
    this.problem = problem;
    this.#stop = stop;
    this.over = problem === undefined ? this.#read(response) : Promise.resolve('ended');
  }

  static async open(url: string, headers: Record<string, string> = {}): Promise<StreamClient> {
    const stop = new AbortController();
    const response = await fetch(url, { headers, signal: stop.signal, dispatcher });
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
    return new StreamClient(
      response,
      stop,
      isStream ? undefined : ((await response.json()) as Record<string, unknown>),
    );
  }

  /** The events of the log among the frames. */
  get events(): readonly { readonly id: string; readonly type: string; readonly cursor: string }[] {
    return this.frames.flatMap(({ id, event, data }) => {
      if (data === undefined || event === 'reset' || event === 'end') return [];
      const told = JSON.parse(data) as { readonly id: string; readonly type: string };
      return [{ id: told.id, type: told.type, cursor: id ?? '' }];
    });
  }

  /** The last id that came, with an event or without. */
  get lastId(): string | undefined {
    return this.frames.findLast(({ id }) => id !== undefined)?.id;
  }

  cut(): Promise<'cut' | 'ended' | 'broken'> {
    this.#stop.abort();
    return this.over;
  }

  #take(frame: Frame): void {
    this.frames.push(frame);
    const { occurredAt } = JSON.parse(frame.data ?? '{}') as { readonly occurredAt?: string };
    const happenedAtMs = Date.parse(occurredAt ?? '');
    if (happenedAtMs >= this.#openedAtMs) this.delaysMs.push(Date.now() - happenedAtMs);
  }

  async #read(response: Response): Promise<'cut' | 'ended' | 'broken'> {
    const decoder = new TextDecoder();
    let rest = '';
    try {
      for await (const chunk of response.body ?? []) {
        rest += decoder.decode(chunk as Uint8Array, { stream: true });
        const blocks = rest.split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) this.#take(toFrame(block));
      }
      return 'ended';
    } catch {
      return this.#stop.signal.aborted ? 'cut' : 'broken';
    }
  }
}

function toFrame(block: string): Frame {
  const lines = block.split('\n');
  const fieldOf = (name: string): string | undefined => {
    const line = lines.find((one) => one.startsWith(`${name}: `));
    return line?.slice(name.length + 2);
  };
  return { id: fieldOf('id'), event: fieldOf('event'), data: fieldOf('data') };
}
