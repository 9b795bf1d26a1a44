import {
  getBinaryNodeChild,
  getBinaryNodeChildren,
  WAMessageAddressingMode,
  type BinaryNode,
} from '@whiskeysockets/baileys';
import { withoutDevice } from '../../../shared/kernel/jid.ts';
import { toContact } from '../../../shared/message/party.ts';
import { asLookUp } from '../port/lookUpError.ts';
import { toShownText } from '../wire/foreignText.ts';
import { toPerson, toTime } from '../wire/toGroup.ts';
import type { Ask, Asking } from './asking.ts';
import { aNode, askGroups, changeGroup, toTarget } from './groupQuery.ts';
import { eachOnce, findPeople, namesIn, type NamedInGroup, type NamedPerson } from './namedPeople.ts';
import { toOutcomes, toParticipantNode } from './personOutcomes.ts';

/** The people of a group. They are named as the group names its members: by LID, or in old groups by number. */
type Change = 'add' | 'remove' | 'promote' | 'demote';

export const askGroupParticipantsAdd: Ask<'group_participants_add'> = (asking, request) =>
  change(asking, 'add', request);

export const askGroupParticipantsRemove: Ask<'group_participants_remove'> = (asking, request) =>
  change(asking, 'remove', request);

export const askGroupParticipantsPromote: Ask<'group_participants_promote'> = (asking, request) =>
  change(asking, 'promote', request);

export const askGroupParticipantsDemote: Ask<'group_participants_demote'> = (asking, request) =>
  change(asking, 'demote', request);

async function change(
  asking: Asking,
  tag: Change,
  request: { readonly group: string; readonly participants: readonly string[] },
) {
  const { address, group } = toTarget(request.group);
  const people = await findPeople(asking, request.participants);
  const nodes = (await toNamed(asking, address, people)).map((named) => toParticipantNode(named, tag === 'add'));
  // Where there is nobody at any of the numbers, there is nothing to ask.
  const answer = nodes.length === 0 ? undefined : await changeGroup(asking, address, aNode(tag, {}, nodes));
  const said = getBinaryNodeChildren(answer && getBinaryNodeChild(answer, tag), 'participant');
  return { outcome: 'succeeded', result: { group, participants: toOutcomes(people, said) } } as const;
}

/** The people as the group names its members: each once, and nobody who has no account. */
async function toNamed(
  asking: Asking,
  group: string,
  people: readonly NamedPerson[],
): Promise<readonly NamedInGroup[]> {
  const { participants, addressingMode } = await asLookUp('group', () => asking.groups.forSending(group));
  const members = participants.map(({ id, lid, phoneNumber }) => ({
    id: withoutDevice(id),
    all: [id, lid, phoneNumber],
  }));
  const named = people.flatMap(({ names }): readonly NamedInGroup[] => {
    const member = members.find(({ all }) =>
      all.some((name) => name !== undefined && names.includes(withoutDevice(name))),
    );
    if (member !== undefined) return [{ jid: member.id }];
    const stranger = namesIn(names, addressingMode !== WAMessageAddressingMode.PN);
    return stranger === undefined ? [] : [stranger];
  });
  return eachOnce(named);
}

const MOST_REQUESTS = 500;
const WORD_CHARACTERS = 64;

export const askGroupRequestsList: Ask<'group_requests_list'> = async (asking, { group: written }) => {
  const { address, group } = toTarget(written);
  const answer = await askGroups(asking, 'get', address, aNode('membership_approval_requests'));
  const listed = getBinaryNodeChild(answer, 'membership_approval_requests');
  if (listed === undefined) return { outcome: 'unanswered' };
  const all = getBinaryNodeChildren(listed, 'membership_approval_request');
  const shown = all.slice(0, MOST_REQUESTS).flatMap((node) => toRequest(node) ?? []);
  return {
    outcome: 'succeeded',
    result: { group, join_requests: shown, complete: all.length <= MOST_REQUESTS },
  };
};

function toRequest(node: BinaryNode) {
  const person = toPerson(node);
  if (person === undefined) return undefined;
  const { request_time: at, request_method: via } = node.attrs;
  const time = toTime(at);
  return {
    id: person.address,
    contact: toContact(person.address, person.alias),
    ...(time === undefined ? {} : { requested_at: time }),
    ...(via === undefined ? {} : { via: toShownText(via, WORD_CHARACTERS) }),
  };
}

export const askGroupRequestsApprove: Ask<'group_requests_approve'> = (asking, request) =>
  judge(asking, 'approve', request);

export const askGroupRequestsReject: Ask<'group_requests_reject'> = (asking, request) =>
  judge(asking, 'reject', request);

async function judge(
  asking: Asking,
  tag: 'approve' | 'reject',
  request: { readonly group: string; readonly join_requests: readonly string[] },
) {
  const { address, group } = toTarget(request.group);
  const people = await findPeople(asking, request.join_requests);
  const nodes = (await toNamed(asking, address, people)).map((named) => toParticipantNode(named, false));
  if (nodes.length === 0) {
    return { outcome: 'succeeded', result: { group, join_requests: toOutcomes(people, []) } } as const;
  }
  const asked = aNode('membership_requests_action', {}, [aNode(tag, {}, nodes)]);
  const answer = getBinaryNodeChild(await changeGroup(asking, address, asked), 'membership_requests_action');
  const said = getBinaryNodeChildren(answer && getBinaryNodeChild(answer, tag), 'participant');
  return { outcome: 'succeeded', result: { group, join_requests: toOutcomes(people, said) } } as const;
}
