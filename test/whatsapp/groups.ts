import { randomInt } from 'node:crypto';
import { node, stamp, type BinaryNode } from './node.ts';
import { answerAboutGroup } from './groupAnswers.ts';
import {
  describeGroup,
  toParticipant,
  type Change,
  type GroupAnswer,
  type GroupDraft,
  type GroupWorld,
} from './groupNodes.ts';
import { aGroup, type Group, type Role } from './group.ts';
import { jidOf, WHATSAPP, type Account, type LinkedDevice, type World } from './world.ts';
import { noteGroup } from './worldRecords.ts';

/** Groups: who is in them, and what members may change (docs/whatsapp.md, "Groups"). All of them are addressed by LID. */
export interface GroupContext {
  readonly world: World;
  readonly enqueue: (device: LinkedDevice, stanza: BinaryNode) => void;
}

export class Groups implements GroupWorld {
  readonly #context: GroupContext;
  /** Numbers of accounts that nobody may add to a group. They are forgotten with the process. */
  readonly #closed = new Set<string>();

  constructor(context: GroupContext) {
    this.#context = context;
  }

  get world(): World {
    return this.#context.world;
  }

  /** The owner of a phone lets nobody add the account to groups, or all again. */
  close({ number }: Account, isClosed: boolean): void {
    if (isClosed) this.#closed.add(number);
    else this.#closed.delete(number);
  }

  isClosed(number: string): boolean {
    return this.#closed.has(number);
  }

  /** Makes a group and tells its members. @param by the device that did it, which learns it by the answer */
  create(creator: Account, subject: string, others: readonly Account[], by?: LinkedDevice): Group {
    return this.make(creator, { subject, others }, by);
  }

  make(creator: Account, draft: GroupDraft, by?: LinkedDevice): Group {
    const { world } = this.#context;
    const members = new Map<string, Role>([[creator.number, 'superadmin']]);
    for (const { number } of draft.others) if (number !== creator.number) members.set(number, 'member');
    let id = '';
    do id = `120363${String(randomInt(1e11, 1e12))}@g.us`;
    while (world.groups.has(id));
    const { others: _others, settings, ...made } = draft;
    const group = aGroup({ ...made, id, creator: creator.number, createdAt: stamp(), members }, settings);
    world.groups.set(id, group);
    noteGroup(world, group);
    const what = node('create', { type: 'new' }, [describeGroup(world, group)]);
    this.tell(group, creator, what, [...members.keys()], by);
    return group;
  }

  /** Changes the membership. Returns those whom it changed; undefined if the actor may not. */
  change(
    group: Group,
    actor: Account,
    change: Change,
    accounts: readonly Account[],
    by?: LinkedDevice,
  ): readonly Account[] | undefined {
    const role = group.members.get(actor.number);
    const leaves = change === 'remove' && accounts.length === 1 && accounts[0] === actor;
    const mayAdd = change === 'add' && group.settings.memberAddMode === 'all_member_add';
    if (role === undefined || (role === 'member' && !leaves && !mayAdd)) return undefined;
    return this.#apply(group, actor, change, accounts, { by });
  }

  /** Lets people in who came by themselves, or were let in by an administrator. */
  letIn(group: Group, accounts: readonly Account[], actor: Account, reason: string, by?: LinkedDevice): void {
    this.#apply(group, actor, 'add', accounts, { by, reason });
  }

  #apply(
    group: Group,
    actor: Account,
    change: Change,
    accounts: readonly Account[],
    { by, reason }: { readonly by?: LinkedDevice | undefined; readonly reason?: string },
  ): readonly Account[] {
    const told = new Set(group.members.keys());
    const changed = accounts.filter(({ number }) => group.members.has(number) === (change !== 'add'));
    for (const { number, phone } of changed) {
      if (change === 'remove') {
        group.members.delete(number);
        phone.forgetSenderKey(group.id);
      } else group.members.set(number, change === 'promote' ? 'admin' : 'member');
      group.requests.delete(number);
      told.add(number);
    }
    // Members who left must not read on: the ones who stay start a new sender key.
    if (change === 'remove')
      for (const number of group.members.keys()) this.#account(number)?.phone.forgetSenderKey(group.id);
    noteGroup(this.#context.world, group);
    const attrs = reason === undefined ? {} : { reason };
    if (changed.length > 0) this.tell(group, actor, node(change, attrs, changed.map(toParticipant)), [...told], by);
    return changed;
  }

  /** The group as its members see it. */
  describe(group: Group): BinaryNode {
    return describeGroup(this.#context.world, group);
  }

  /** Answers a `w:g2` query of a client. */
  answer(device: LinkedDevice | undefined, query: BinaryNode): GroupAnswer {
    const actor = device && this.#account(device.number);
    return actor === undefined ? { error: 400 } : answerAboutGroup(this, actor, query, device);
  }

  /** A phone asks the same. */
  answerPhone(actor: Account, query: BinaryNode): GroupAnswer {
    return answerAboutGroup(this, actor, query, undefined);
  }

  /** `w:gp2` to the devices of these numbers, except to the one that made the change. */
  tell(group: Group, actor: Account, what: BinaryNode, numbers: readonly string[], by?: LinkedDevice): void {
    for (const number of numbers) {
      for (const device of this.#account(number)?.devices.values() ?? []) {
        if (device === by) continue;
        const attrs = {
          from: group.id,
          type: 'w:gp2',
          id: String(randomInt(1e9, 1e10)),
          participant: jidOf(actor, 0, 'lid'),
          participant_pn: jidOf(actor, 0, WHATSAPP),
          addressing_mode: 'lid',
          t: stamp(),
        };
        this.#context.enqueue(device, node('notification', attrs, [what]));
      }
    }
  }

  #account(number: string): Account | undefined {
    return this.#context.world.accounts.get(number);
  }
}
