import type { Scene } from './scene.ts';

/** With whom the account speaks in a scenario. */
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
const settle = async (scene: Scene): Promise<void> => void (await scene.quiet());
const both =
  (...steps: readonly Scenario['during'][]): Scenario['during'] =>
  async (scene, chat) => {
    for (const step of steps) await step(scene, chat);
  };

const online = { account: 'linked', watchedFrom: 'online', before: nothing } as const;
const returning = { account: 'linked', watchedFrom: 'start', during: nothing } as const;
const withFriend = { chat: 'person', partner: 'known' } as const;
const withStranger = { chat: 'person', partner: 'new' } as const;
const inGroup = { chat: 'group', partner: 'known' } as const;
const inNewGroup = { chat: 'group', partner: 'new' } as const;

export const scenarios: readonly Scenario[] = [
  {
    ...{ name: 'receive-first', what: 'a stranger writes', ...online, ...withStranger },
    ...{ sends: false, during: write(2) },
  },
  {
    ...{ name: 'receive-steady', what: 'a contact writes', ...online, ...withFriend },
    ...{ sends: false, during: write(3) },
  },
  {
    ...{ name: 'receive-group-first', what: 'a stranger writes in a new group', ...online, ...inNewGroup },
    ...{ sends: false, during: write(2) },
  },
  {
    ...{ name: 'receive-group-steady', what: 'a contact writes in a group', ...online, ...inGroup },
    ...{ sends: false, during: write(3) },
  },
  {
    ...{ name: 'receive-backlog', what: 'a contact wrote while the worker was away', ...returning, ...withFriend },
    ...{ sends: false, before: write(4) },
  },
  {
    ...{ name: 'receive-backlog-first', what: 'a stranger wrote meanwhile', ...returning, ...withStranger },
    ...{ sends: false, before: write(3) },
  },
  {
    ...{ name: 'receive-group-backlog', what: 'a group wrote meanwhile, for the first time', ...returning, ...inNewGroup },
    ...{ sends: false, before: write(3) },
  },
  {
    ...{ name: 'send-first', what: 'the first messages to a stranger', ...online, ...withStranger },
    ...{ sends: true, during: send(2) },
  },
  {
    ...{ name: 'send-steady', what: 'messages to a contact', ...online, ...withFriend },
    ...{ sends: true, during: send(3) },
  },
  {
    ...{ name: 'send-group-first', what: 'the first messages to a group', ...online, ...inNewGroup },
    ...{ sends: true, during: send(2) },
  },
  {
    ...{ name: 'send-group-steady', what: 'messages to a group', ...online, ...inGroup },
    ...{ sends: true, during: send(3) },
  },
  {
    ...{ name: 'send-into-backlog', what: 'sends wait while a backlog drains', ...returning, ...withFriend },
    ...{ sends: true, before: both(write(3), send(2)) },
  },
  {
    ...{ name: 'conversation', what: 'both write at the same time', ...online, ...withFriend },
    ...{ sends: true, during: both(write(1), send(1), write(1), send(1), write(1)) },
  },
  {
    ...{ name: 'receipts', what: 'what was sent is read', ...online, ...withFriend },
    ...{ sends: false, before: both(send(2), settle), during: both((scene) => scene.readAll(), write(1)) },
  },
  {
    ...{ name: 'pairing', what: 'a QR is scanned, and the first login', account: 'unlinked', watchedFrom: 'start' },
    ...withStranger,
    ...{ sends: false, before: async (scene) => scene.pair(), during: nothing },
  },
  {
    ...{ name: 'login', what: 'a login with nothing waiting', ...returning, ...withFriend },
    ...{ sends: false, before: nothing },
  },
];

/** Both sides of a chat write, so that they know each other, or so that damage shows itself. */
export async function exchange(scene: Scene, chat: Chat): Promise<boolean> {
  for (const step of [write(1), send(1), write(1), send(1)]) {
    await step(scene, chat);
    if ((await scene.quiet()) !== 'quiet') return false;
  }
  return true;
}
