import { createHash } from 'node:crypto';

/**
 * Which item of the Sessions table holds which key (PROTOCOL.md §7). Hard items are written under their version and the
 * epoch, because an old copy of one breaks a conversation; soft ones under the epoch alone, because they can be learned
 * again. Small entries share an item, so that 812 pre-keys are 34 writes and not 812.
 */
export interface KeyPlace {
  /** Sort key after the generation of the credentials. */
  readonly name: string;
  readonly isHard: boolean;
}

const PRE_KEYS_PER_ITEM = 24;
const SOFT_BUCKETS = 64;

/**
 * Writes of one call go out in this order. Handled stanzas come first: they were published before anything is written, so
 * a step that is lost after them is only taken again. A one-time pre-key is removed only after its session is durable.
 */
const ORDER: readonly string[] = ['handled', 'session', 'sender-key', 'identity-key', 'lid-mapping', 'device-list'];

const own =
  (name: string, isHard: boolean) =>
  (id: string): KeyPlace => ({ name: `${name}#${id}`, isHard });
const bucket =
  (name: string) =>
  (id: string): KeyPlace => ({
    name: `${name}#${String((createHash('sha256').update(id).digest()[0] ?? 0) % SOFT_BUCKETS).padStart(2, '0')}`,
    isHard: false,
  });

const layout: Readonly<Record<string, (id: string) => KeyPlace>> = {
  'pre-key': (id) => ({
    name: `PREKEYS#${String(Math.floor(Number(id) / PRE_KEYS_PER_ITEM)).padStart(8, '0')}`,
    isHard: true,
  }),
  session: own('SIGNAL', true),
  /** The last stanzas handled on a Signal session or sender key. In the item of the session itself: one write for both. */
  handled: (id) =>
    id.includes('@g.us') ? { name: `HANDLED#${id}`, isHard: false } : { name: `SIGNAL#${id}`, isHard: true },
  'sender-key': own('SENDERKEY', true),
  'app-state-sync-key': own('APPSTATEKEY', true),
  'app-state-sync-version': own('APPSTATE', false),
  'sender-key-memory': own('SENDERKEYMEMORY', false),
  'lid-mapping': bucket('LIDS'),
  'device-list': bucket('DEVICES'),
  'identity-key': bucket('IDENTITIES'),
  tctoken: bucket('TOKENS'),
};

/** Where a key is kept. Throws for a type that has no place, so that a new one is a decision. */
export function placeOf(type: string, id: string): KeyPlace {
  const place = layout[type];
  if (place === undefined) throw new Error(`no place for keys of type ${type}`);
  return place(id);
}

/** Types in the order in which they are written. */
export function inWriteOrder(types: readonly string[]): readonly string[] {
  const rank = (type: string): number => (ORDER.includes(type) ? ORDER.indexOf(type) : type === 'pre-key' ? 99 : 50);
  return [...types].sort((left, right) => rank(left) - rank(right));
}

/** Name of a key within its item: several types share one. */
export function entryOf(type: string, id: string): string {
  return `${type}:${id}`;
}
