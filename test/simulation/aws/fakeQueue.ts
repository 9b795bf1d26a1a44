import { Throughput } from './throughput.ts';

/** How a queue is set up. */
export interface FakeQueueSettings {
  readonly url: string;
  /** If left out, the end of the URL tells. */
  readonly fifo?: boolean;
  readonly visibilitySeconds: number;
  /** Whether a FIFO queue counts calls and deduplicates by group. Left out, it does neither. */
  readonly highThroughput?: boolean;
  readonly deadLetter?: { readonly url: string; readonly maxReceiveCount: number };
}

/** One message in a queue. Each receive and each change of its visibility makes a new object. */
export interface FakeMessage {
  readonly id: string;
  readonly body: string;
  /** The group; undefined in a queue without groups, where each message stands alone. */
  readonly group: string | undefined;
  readonly deduplicationId: string | undefined;
  /** Grows over all queues; the order within a group. */
  readonly sequence: number;
  readonly sentAtMs: number;
  readonly receives: number;
  readonly firstReceivedAtMs: number | undefined;
  readonly lastReceivedAtMs: number | undefined;
  /** Hidden until then; 0 when it was never received. */
  readonly hiddenUntilMs: number;
  /** The handle of the newest receive; older handles are superseded. */
  readonly handle: string | undefined;
}

/** What a send gives. */
export type NewMessage = Pick<FakeMessage, 'id' | 'body' | 'group' | 'deduplicationId' | 'sequence' | 'sentAtMs'>;

type Duplicable = Pick<NewMessage, 'deduplicationId' | 'group'>;

const DEDUPLICATION_MS = 5 * 60_000;

/** The messages of one queue, and who may have which of them. */
export class FakeQueue {
  readonly settings: FakeQueueSettings;
  readonly fifo: boolean;
  /** In the order of their sequence, by group; without groups each message is one. */
  readonly #groups = new Map<string, FakeMessage[]>();
  readonly #groupOf = new Map<string, string>();
  readonly #sent = new Map<string, NewMessage>();
  /** The calls of a FIFO queue; undefined for one without order, which takes as many as come. */
  readonly throughput: Throughput | undefined;

  constructor(settings: FakeQueueSettings) {
    this.settings = settings;
    this.fifo = settings.fifo ?? settings.url.endsWith('.fifo');
    this.throughput = this.fifo ? new Throughput(settings.highThroughput ?? false) : undefined;
  }

  get depth(): number {
    return this.#groupOf.size;
  }

  /** All messages, in the order in which they were sent. */
  messages(): readonly FakeMessage[] {
    return [...this.#groups.values()].flat().sort((left, right) => left.sequence - right.sequence);
  }

  find(id: string): FakeMessage | undefined {
    return this.#groups.get(this.#groupOf.get(id) ?? '')?.find((message) => message.id === id);
  }

  /** The message that was sent with this id less than five minutes ago, also if it is long done. */
  duplicateOf({ deduplicationId, group }: Duplicable, nowMs: number): NewMessage | undefined {
    for (const [id, { sentAtMs }] of this.#sent) {
      if (nowMs - sentAtMs < DEDUPLICATION_MS) break;
      this.#sent.delete(id);
    }
    return deduplicationId === undefined ? undefined : this.#sent.get(this.#sentKey({ deduplicationId, group }));
  }

  send(message: NewMessage): void {
    if (message.deduplicationId !== undefined) this.#sent.set(this.#sentKey(message), message);
    this.add(message);
  }

  #sentKey({ deduplicationId, group }: Duplicable): string {
    return this.settings.highThroughput === true ? `${group} ${deduplicationId}` : String(deduplicationId);
  }

  /** Adds a message that nobody has received here. */
  add({ id, body, group, deduplicationId, sequence, sentAtMs }: NewMessage): void {
    const message: FakeMessage = {
      id,
      body,
      group,
      deduplicationId,
      sequence,
      sentAtMs,
      receives: 0,
      firstReceivedAtMs: undefined,
      lastReceivedAtMs: undefined,
      hiddenUntilMs: 0,
      handle: undefined,
    };
    const name = group ?? id;
    const others = this.#groups.get(name);
    if (others === undefined) this.#groups.set(name, [message]);
    else others.push(message);
    this.#groupOf.set(id, name);
  }

  remove(id: string): void {
    const name = this.#groupOf.get(id) ?? '';
    const group = this.#groups.get(name);
    if (group === undefined) return;
    group.splice(
      group.findIndex((message) => message.id === id),
      1,
    );
    if (group.length === 0) this.#groups.delete(name);
    this.#groupOf.delete(id);
  }

  setHiddenUntil({ id }: FakeMessage, hiddenUntilMs: number): void {
    this.#replace(id, (message) => ({ ...message, hiddenUntilMs }));
  }

  /**
   * Gives out messages: of the group whose first one is oldest as many as there are, then of the next. A group with a message
   * in flight gives none. What was received too often goes to `bury`, and not out, when its turn comes.
   */
  receive(most: number, hideMs: number, nowMs: number, bury: (message: FakeMessage) => void): readonly FakeMessage[] {
    const maxReceives = this.settings.deadLetter?.maxReceiveCount ?? Infinity;
    const received: FakeMessage[] = [];
    for (const group of this.#openGroups(nowMs)) {
      for (const { id, receives } of group.slice()) {
        if (received.length >= most) return received;
        if (receives >= maxReceives) {
          const dead = this.find(id);
          this.remove(id);
          if (dead !== undefined) bury(dead);
          continue;
        }
        received.push(
          this.#replace(id, (message) => ({
            ...message,
            receives: receives + 1,
            firstReceivedAtMs: message.firstReceivedAtMs ?? nowMs,
            lastReceivedAtMs: nowMs,
            hiddenUntilMs: nowMs + hideMs,
            handle: `${id}:${receives + 1}`,
          })),
        );
      }
    }
    return received;
  }

  /** When a receive could give something out, at the earliest; undefined while nothing could come without a send. */
  nextVisibleAtMs(nowMs: number): number | undefined {
    const maxReceives = this.settings.deadLetter?.maxReceiveCount ?? Infinity;
    let earliest: number | undefined;
    for (const group of this.#groups.values()) {
      if (!group.some(({ receives }) => receives < maxReceives)) continue;
      const openAtMs = Math.max(nowMs, lockedUntilMs(group));
      if (earliest === undefined || openAtMs < earliest) earliest = openAtMs;
    }
    return earliest;
  }

  #openGroups(nowMs: number): readonly (readonly FakeMessage[])[] {
    const open = [...this.#groups.values()].filter((group) => lockedUntilMs(group) <= nowMs);
    return open.sort(([left], [right]) => (left?.sequence ?? 0) - (right?.sequence ?? 0));
  }

  #replace(id: string, change: (message: FakeMessage) => FakeMessage): FakeMessage {
    const group = this.#groups.get(this.#groupOf.get(id) ?? '') ?? [];
    const place = group.findIndex((message) => message.id === id);
    const before = group[place];
    if (before === undefined) throw new Error(`there is no message ${id}`);
    const after = change(before);
    group[place] = after;
    return after;
  }
}

/** Until the last message in flight is visible again. Those that were ever received stand before all others. */
function lockedUntilMs(group: readonly FakeMessage[]): number {
  let untilMs = 0;
  for (const { receives, hiddenUntilMs } of group) {
    if (receives === 0) break;
    untilMs = Math.max(untilMs, hiddenUntilMs);
  }
  return untilMs;
}
