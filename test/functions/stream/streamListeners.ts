/** The clients of the proof of streams, in a process of their own: each is cut off again and again, and goes on behind its last event. */
import { systemClock } from '../../../shared/kernel/clock.ts';
import { answerParent } from '../../bench/childTalk.ts';
import { StreamClient } from './streamClient.ts';

export type StreamListenerAnswers = typeof answers;

/** The pause after a process took no connection, or had no place left, in milliseconds. */
const AGAIN_MS = 200;

export interface ListenersWanted {
  readonly keys: readonly string[];
  readonly ofEach: number;
  /** A client is cut off after a time between these, in milliseconds. */
  readonly cut: { readonly fromMs: number; readonly toMs: number };
  /** The addresses of the processes, which the listeners take in turn. */
  readonly urls: readonly string[];
}

/** What a listener has been told. */
export interface Heard {
  readonly key: string;
  readonly ids: readonly string[];
  readonly drops: number;
}

interface Listener {
  readonly key: string;
  readonly ids: string[];
  drops: number;
  client: StreamClient | undefined;
}

const listeners: Listener[] = [];
const delaysMs: number[] = [];
const over = new AbortController();
let listening: readonly Promise<void>[] = [];
let urls: readonly string[] = [];
let cut = { fromMs: 0, toMs: 0 };

const answers = {
  begin: (wanted: ListenersWanted): void => {
    ({ urls, cut } = wanted);
    for (const key of wanted.keys) {
      for (let made = 0; made < wanted.ofEach; made += 1) listeners.push({ key, ids: [], drops: 0, client: undefined });
    }
    listening = listeners.map(listen);
  },
  moveTo: (given: readonly string[]): void => {
    urls = given;
  },
  open: (): number => listeners.filter(({ client }) => client !== undefined).length,
  /** The fewest events that a listener of each key has. */
  fewest: (): Readonly<Record<string, number>> => {
    const found: Record<string, number> = {};
    for (const { key, ids, client } of listeners) {
      const had = ids.length + (client?.events.length ?? 0);
      found[key] = Math.min(found[key] ?? had, had);
    }
    return found;
  },
  end: async (): Promise<{ readonly heard: readonly Heard[]; readonly delaysMs: readonly number[] }> => {
    over.abort();
    await Promise.all(listening);
    return { heard: listeners.map(({ key, ids, drops }) => ({ key, ids, drops })), delaysMs };
  },
};
answerParent(answers);

/** Listens until the end, on one process after the other. */
async function listen(listener: Listener, place: number): Promise<void> {
  let lastId: string | undefined;
  for (let turn = place; !over.signal.aborted; turn += 1) {
    const client = await openOn(urls[turn % urls.length] ?? '', listener.key, lastId);
    if (client?.status !== 200) {
      await systemClock.sleep(AGAIN_MS, over.signal);
      continue;
    }
    listener.client = client;
    const cutMs = cut.fromMs + Math.random() * (cut.toMs - cut.fromMs);
    await Promise.race([client.over, systemClock.sleep(cutMs, over.signal)]);
    await client.cut();
    listener.client = undefined;
    listener.drops += 1;
    listener.ids.push(...client.events.map(({ id }) => id));
    delaysMs.push(...client.delaysMs);
    lastId = client.lastId ?? lastId;
  }
}

/** Opens a stream; undefined where the process takes no connection, because it is being replaced. */
async function openOn(url: string, key: string, lastId: string | undefined): Promise<StreamClient | undefined> {
  const headers = { authorization: `Bearer ${key}`, ...(lastId === undefined ? {} : { 'last-event-id': lastId }) };
  return StreamClient.open(`${url}${lastId === undefined ? '?from=oldest' : ''}`, headers).catch(() => undefined);
}
