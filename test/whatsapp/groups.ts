import { randomInt } from 'node:crypto';
import { bytesOf, child, children, node, stamp, type BinaryNode } from './node.ts';
import type { Group, Role } from './group.ts';
import { findAddress, jidOf, WHATSAPP, type Account, type LinkedDevice, type World } from './world.ts';
import { noteGroup } from './worldRecords.ts';

/** Groups: who is in them, and what members may change (docs/whatsapp.md, "Groups"). All of them are addressed by LID. */
export type GroupAnswer = readonly BinaryNode[] | { readonly error: number };
type Change = 'add' | 'remove' | 'promote' | 'demote';

export interface GroupContext {
  readonly world: World;
  readonly enqueue: (device: LinkedDevice, stanza: BinaryNode) => void;
}

const isChange = (tag: string): tag is Change => ['add', 'remove', 'promote', 'demote'].includes(tag);

export class Groups {
  readonly #context: GroupContext;

  constructor(context: GroupContext) {
    this.#context = context;
  }

  /** Makes a group and tells its members. @param by the device that did it, which learns it by the answer */
  create(creator: Account, subject: string, others: readonly Account[], by?: LinkedDevice): Group {
    const { world } = this.#context;
    const members = new Map<string, Role>([[creator.number, 'superadmin']]);
    for (const { number } of others) if (number !== creator.number) members.set(number, 'member');
    let id = '';
    do id = `120363${String(randomInt(1e11, 1e12))}@g.us`;
    while (world.groups.has(id));
    const group: Group = { id, creator: creator.number, createdAt: stamp(), subject, description: undefined, members };
    world.groups.set(id, group);
    noteGroup(world, group);
    this.#tell(group, creator, node('create', { type: 'new' }, [this.describe(group)]), [...members.keys()], by);
    return group;
  }

  /** Changes the membership. Returns the numbers that it changed; undefined if the actor may not. */
  change(
    group: Group,
    actor: Account,
    change: Change,
    accounts: readonly Account[],
    by?: LinkedDevice,
  ): readonly Account[] | undefined {
    const role = group.members.get(actor.number);
    const leaves = change === 'remove' && accounts.length === 1 && accounts[0] === actor;
    if (role === undefined || (role === 'member' && !leaves)) return undefined;
    const told = new Set(group.members.keys());
    const changed = accounts.filter(({ number }) => group.members.has(number) === (change !== 'add'));
    for (const { number, phone } of changed) {
      if (change === 'remove') {
        group.members.delete(number);
        phone.forgetSenderKey(group.id);
      } else group.members.set(number, change === 'promote' ? 'admin' : 'member');
      told.add(number);
    }
    // Members who left must not read on: the ones who stay start a new sender key.
    if (change === 'remove')
      for (const number of group.members.keys()) this.#phoneOf(number)?.forgetSenderKey(group.id);
    noteGroup(this.#context.world, group);
    if (changed.length > 0) this.#tell(group, actor, node(change, {}, changed.map(toParticipant)), [...told], by);
    return changed;
  }

  /** The group as its members see it. */
  describe(group: Group): BinaryNode {
    const creator = this.#account(group.creator);
    const participants = [...group.members].flatMap(([number, role]) => {
      const account = this.#account(number);
      if (account === undefined) return [];
      const participant = toParticipant(account);
      return [role === 'member' ? participant : { ...participant, attrs: { ...participant.attrs, type: role } }];
    });
    const description = group.description && [
      node('description', { id: group.description.id, t: group.createdAt }, [
        node('body', {}, Buffer.from(group.description.text)),
      ]),
    ];
    const attrs = {
      id: group.id.split('@')[0] ?? '',
      subject: group.subject,
      s_t: group.createdAt,
      creation: group.createdAt,
      addressing_mode: 'lid',
      size: String(group.members.size),
      ...(creator === undefined
        ? {}
        : {
            s_o: jidOf(creator, 0, 'lid'),
            creator: jidOf(creator, 0, 'lid'),
            creator_pn: jidOf(creator, 0, WHATSAPP),
          }),
    };
    return node('group', attrs, [...(description ?? []), ...participants]);
  }

  /** Answers a `w:g2` query of a client. */
  answer(device: LinkedDevice | undefined, query: BinaryNode): GroupAnswer {
    const { world } = this.#context;
    const actor = device && world.accounts.get(device.number);
    const [request] = children(query);
    if (device === undefined || actor === undefined || request === undefined) return { error: 400 };
    if (request.tag === 'participating') {
      const mine = [...world.groups.values()].filter(({ members }) => members.has(actor.number));
      return [
        node(
          'groups',
          {},
          mine.map((group) => this.describe(group)),
        ),
      ];
    }
    if (request.tag === 'create') {
      const { subject = '' } = request.attrs;
      return [this.describe(this.create(actor, subject, this.#named(request), device))];
    }
    const asked = request.tag === 'leave' ? child(request, 'group')?.attrs['id'] : query.attrs['to'];
    const group = world.groups.get(asked ?? '');
    if (group === undefined) return { error: 404 };
    if (!group.members.has(actor.number)) return { error: 403 };
    return this.#answerAbout(group, actor, device, request);
  }

  #answerAbout(group: Group, actor: Account, device: LinkedDevice, request: BinaryNode): GroupAnswer {
    if (request.tag === 'query') return [this.describe(group)];
    if (request.tag === 'leave') {
      this.change(group, actor, 'remove', [actor], device);
      return [];
    }
    if (isChange(request.tag)) {
      const changed = this.change(group, actor, request.tag, this.#named(request), device);
      return changed === undefined ? { error: 403 } : [node(request.tag, {}, changed.map(toParticipant))];
    }
    if (request.tag === 'subject') {
      noteGroup(this.#context.world, group);
      group.subject = bytesOf(node('iq', {}, [request]), 'subject')?.toString() ?? group.subject;
      this.#tell(group, actor, node('subject', { subject: group.subject }), [...group.members.keys()], device);
    }
    if (request.tag === 'description') {
      const text = bytesOf(request, 'body')?.toString();
      noteGroup(this.#context.world, group);
      group.description = text === undefined ? undefined : { id: request.attrs['id'] ?? '', text };
      this.#tell(group, actor, request, [...group.members.keys()], device);
    }
    return [];
  }

  #named(request: BinaryNode): readonly Account[] {
    return children(request, 'participant').flatMap(
      ({ attrs }) => findAddress(this.#context.world, attrs['jid'])?.account ?? [],
    );
  }

  /** `w:gp2` to the devices of these numbers, except to the one that made the change. */
  #tell(group: Group, actor: Account, what: BinaryNode, numbers: readonly string[], by?: LinkedDevice): void {
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

  #phoneOf(number: string) {
    return this.#account(number)?.phone;
  }
}

function toParticipant(account: Account): BinaryNode {
  return node('participant', { jid: jidOf(account, 0, 'lid'), phone_number: jidOf(account, 0, WHATSAPP) });
}
