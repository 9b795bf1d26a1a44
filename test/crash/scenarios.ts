import type { Scene } from './scene.ts';

/** The chat in which the account speaks in a scenario. */
export interface Chat {
  /** Number of the contact who writes. */
  readonly contact: string;
  /** Where both write: the contact's number, or a group with the contact in it. */
  readonly place: string;
  /** Numbers of those who see what the account sends there. */
  readonly readers: readonly string[];
}

/** What goes on while a worker may die. */
export interface Scenario {
  readonly name: string;
  readonly what: string;
  /** `unlinked`: each crash has a world of its own, in which no device is linked yet. Else one account goes on and on. */
  readonly account: 'linked' | 'unlinked';
  readonly chat: 'person' | 'group';
  /** `new` at each crash, or `known`: both have written before. */
  readonly partner: 'new' | 'known';
  /** Since when the worker is watched: its start, or when it is online. */
  readonly watchedFrom: 'start' | 'online';
  /** Whether it sends: one send may then be in flight at the crash. */
  readonly sends: boolean;
  /** What happened before the worker is watched; it is away if it is watched from its start. */
  readonly before: (scene: Scene, chat: Chat) => Promise<void>;
  /** What happens while it is watched. Waits for nothing that the worker does. */
  readonly during: (scene: Scene, chat: Chat) => Promise<void>;
}

const nothing = async (): Promise<void> => undefined;
const write =
  (count: number) =>
  (scene: Scene, { contact, place }: Chat): Promise<void> =>
    scene.write(contact, count, place === contact ? undefined : place);
const send =
  (count: number) =>
  (scene: Scene, { place, readers }: Chat): Promise<void> =>
    scene.send(place, count, readers);
const sendFiles =
  (count: number) =>
  (scene: Scene, { place, readers }: Chat): Promise<void> =>
    scene.sendFiles(place, count, readers);
const settle = async (scene: Scene): Promise<void> => void (await scene.quiet());
const pollsOver = (scene: Scene): Promise<void> => scene.pollsOver();
const both =
  (...steps: readonly Scenario['during'][]): Scenario['during'] =>
  async (scene, chat) => {
    for (const step of steps) await step(scene, chat);
  };

type Kind = Omit<Scenario, 'name' | 'what' | 'before' | 'during'>;
type Row = readonly [name: string, what: string, kind: Kind, happening: Scenario['during']];

const receiving = { account: 'linked', chat: 'person', partner: 'known', watchedFrom: 'online', sends: false } as const;
const sending = { ...receiving, sends: true } as const;
const stranger = { partner: 'new' } as const;
const group = { chat: 'group' } as const;
const newGroup = { chat: 'group', partner: 'new' } as const;

/** The worker is online, and this happens. */
const online: readonly Row[] = [
  ['receive-first', 'a stranger writes', { ...receiving, ...stranger }, write(2)],
  ['receive-steady', 'a contact writes', receiving, write(3)],
  ['receive-group-first', 'a stranger writes in a new group', { ...receiving, ...newGroup }, write(2)],
  ['receive-group-steady', 'a contact writes in a group', { ...receiving, ...group }, write(3)],
  ['send-first', 'the first messages to a stranger', { ...sending, ...stranger }, send(2)],
  ['send-steady', 'messages to a contact', sending, send(6)],
  ['send-group-first', 'the first messages to a group', { ...sending, ...newGroup }, send(2)],
  ['send-group-steady', 'messages to a group', { ...sending, ...group }, send(3)],
  ['send-file', 'documents to a contact', sending, sendFiles(2)],
  ['send-file-between', 'a document between texts to a contact', sending, both(send(1), sendFiles(1), send(1))],
  ['conversation', 'both write at the same time', sending, both(write(1), send(1), write(1), send(1), write(1))],
];

/** This has happened when the worker starts. */
const starting: readonly Row[] = [
  ['receive-backlog', 'a contact wrote while the worker was away', receiving, write(4)],
  ['receive-backlog-first', 'a stranger wrote meanwhile', { ...receiving, ...stranger }, write(3)],
  ['receive-group-backlog', 'a new group wrote meanwhile', { ...receiving, ...newGroup }, write(3)],
  ['send-into-backlog', 'sends wait while a backlog drains', sending, both(write(3), pollsOver, send(2))],
  ['login', 'a login with nothing waiting', receiving, nothing],
  [
    'pairing',
    'a QR is scanned, and the first login',
    { ...receiving, ...stranger, account: 'unlinked' },
    async (scene) => scene.pair(),
  ],
];

export const scenarios: readonly Scenario[] = [
  ...online.map(([name, what, kind, during]) => ({ ...kind, name, what, before: nothing, during })),
  {
    ...receiving,
    name: 'receipts',
    what: 'what was sent is read',
    before: both(send(2), settle),
    during: both((scene) => scene.readAll(), write(1)),
  },
  ...starting.map(([name, what, kind, before]) => ({
    ...kind,
    name,
    what,
    watchedFrom: 'start' as const,
    before,
    during: nothing,
  })),
];

/** Both sides of a chat write, so that they know each other, or so that damage shows itself. */
export async function exchange(scene: Scene, chat: Chat): Promise<boolean> {
  for (const step of [write(1), send(1), write(1), send(1)]) {
    await step(scene, chat);
    if ((await scene.quiet()) !== 'quiet') return false;
  }
  return true;
}
