import { getBinaryNodeChild, getBinaryNodeChildren, type BinaryNode } from '@whiskeysockets/baileys';
import type { groupSettings } from '../../../shared/action/groupFields.ts';
import type { RequestOf } from '../../../shared/action/actionKinds.ts';
import type { z } from 'zod';
import { asLookUp } from '../port/lookUpError.ts';
import { toLinkedAccount } from '../wire/toLinkedAccount.ts';
import { fitInto, groupIn, subjectOf, toGroup, toGroupInShort } from '../wire/toGroup.ts';
import type { Ask, Asking } from './asking.ts';
import { ALL_GROUPS, aNode, askGroups, changeGroup, toTarget } from './groupQuery.ts';
import { eachOnce, findPeople, namesIn } from './namedPeople.ts';
import { toOutcomes, toParticipantNode } from './personOutcomes.ts';

/** Groups as such. A change that gets no answer may have been made: it is in the group for all to see. */
const LIST_BYTES = 96 * 1_024;

/** WhatsApp gives all groups of the account in one answer, of which a part is shown. */
export const askGroupList: Ask<'group_list'> = async (asking, { after }) => {
  const all = aNode('participating', {}, [aNode('participants'), aNode('description')]);
  const answer = await askGroups(asking, 'get', ALL_GROUPS, all);
  const listed = getBinaryNodeChild(answer, 'groups');
  if (listed === undefined) return { outcome: 'unanswered' };
  const groups = getBinaryNodeChildren(listed, 'group')
    .flatMap((group) => toGroupInShort(group) ?? [])
    .toSorted((one, other) => (one.id < other.id ? -1 : 1));
  const from = after === undefined ? 0 : groups.findIndex(({ id }) => id > toTarget(after).address);
  const { shown, complete } = fitInto(from === -1 ? [] : groups.slice(from), LIST_BYTES);
  const next = complete ? undefined : shown.at(-1)?.id;
  return {
    outcome: 'succeeded',
    result: { groups: shown, hasMore: !complete, ...(next === undefined ? {} : { next }) },
  };
};

export const askGroupFind: Ask<'group_find'> = async (asking, { group }) => {
  const { address } = toTarget(group);
  const answer = await askGroups(asking, 'get', address, aNode('query', { request: 'interactive' }));
  return found(answer);
};

/** The group in an answer, as the result of an action. */
export function found(answer: BinaryNode) {
  const node = groupIn(answer);
  const group = node === undefined ? undefined : toGroup(node);
  return group === undefined
    ? ({ outcome: 'unanswered' } as const)
    : ({ outcome: 'succeeded', result: { group } } as const);
}

/** How each setting is written in a change. */
type Settings = { readonly [Name in keyof typeof groupSettings]: z.infer<(typeof groupSettings)[Name]> };
const settingNodes: { readonly [Name in keyof Settings]: (value: Settings[Name]) => BinaryNode } = {
  announcement: (only) => aNode(only ? 'announcement' : 'not_announcement'),
  locked: (locked) => aNode(locked ? 'locked' : 'unlocked'),
  member_add_mode: (who) =>
    aNode('member_add_mode', {}, Buffer.from(who === 'admins' ? 'admin_add' : 'all_member_add')),
  join_approval_mode: (mode) =>
    aNode('membership_approval_mode', {}, [
      aNode('group_join', { state: mode === 'approval_required' ? 'on' : 'off' }),
    ]),
  disappearing_seconds: (seconds) =>
    seconds === 0 ? aNode('not_ephemeral') : aNode('ephemeral', { expiration: String(seconds) }),
};

function settingNodesOf(asked: { readonly [Name in keyof Settings]?: Settings[Name] | undefined }): BinaryNode[] {
  return (Object.keys(settingNodes) as (keyof Settings)[]).flatMap((name) => {
    const value = asked[name];
    return value === undefined ? [] : [(settingNodes[name] as (value: unknown) => BinaryNode)(value)];
  });
}

export const askGroupCreate: Ask<'group_create'> = async (asking, request) => {
  const people = await findPeople(asking, request.participants ?? []);
  const { phoneJid, lid } = toLinkedAccount(asking.socket.authState.creds);
  // The account is in a group that it makes, and is not named among those who are to be.
  const others = people.filter(({ names }) => !names.includes(phoneJid) && !(lid !== undefined && names.includes(lid)));
  const members = eachOnce(others.flatMap(({ names }) => namesIn(names, true) ?? []));
  const create = aNode('create', { subject: request.subject, key: asking.makeTag() }, [
    ...members.map((named) => toParticipantNode(named, true)),
    ...descriptionNodes(asking, request.description),
    ...(request.community === undefined ? [] : [aNode('linked_parent', { jid: toTarget(request.community).address })]),
    ...settingNodesOf(toAsked(request)),
  ]);
  const answer = await askGroups(asking, 'set', ALL_GROUPS, create);
  const made = found(answer);
  if (made.outcome === 'unanswered') return made;
  const said = getBinaryNodeChildren(groupIn(answer), 'participant');
  return { outcome: 'succeeded', result: { ...made.result, participants: toOutcomes(people, said) } };
};

/** The settings with which a group is made: what is the case anyway is left out. */
function toAsked(request: RequestOf<'group_create'>) {
  const { join_approval_mode: mode, announcement, locked, disappearing_seconds: seconds } = request;
  return {
    ...(mode === 'approval_required' ? { join_approval_mode: mode } : {}),
    ...(announcement === true ? { announcement } : {}),
    ...(locked === true ? { locked } : {}),
    ...(seconds === undefined || seconds === 0 ? {} : { disappearing_seconds: seconds }),
  };
}

/** The description with which a group is made. */
export function descriptionNodes(
  { makeTag }: Pick<Asking, 'makeTag'>,
  description: string | undefined,
): readonly BinaryNode[] {
  if (description === undefined || description === '') return [];
  return [aNode('description', { id: makeTag() }, [aNode('body', {}, Buffer.from(description))])];
}

export const askGroupSubjectSet: Ask<'group_subject_set'> = async (asking, request) => {
  const { address, group } = toTarget(request.group);
  await changeGroup(asking, address, aNode('subject', {}, Buffer.from(request.subject)));
  return { outcome: 'succeeded', result: { group, subject: subjectOf(request.subject) } };
};

/** The description names the one that it stands in place of, so that WhatsApp finds out where two change it at once. */
export const askGroupDescriptionSet: Ask<'group_description_set'> = async (asking, { group: written, description }) => {
  const { address, group } = toTarget(written);
  const { descId } = await asLookUp('group', () => asking.groups.ask(address));
  const attrs = {
    ...(description === '' ? { delete: 'true' } : { id: asking.makeTag() }),
    ...(descId === undefined ? {} : { prev: descId }),
  };
  const body = description === '' ? undefined : [aNode('body', {}, Buffer.from(description))];
  await changeGroup(asking, address, aNode('description', attrs, body));
  return { outcome: 'succeeded', result: { group, description } };
};

export const askGroupSettingsSet: Ask<'group_settings_set'> = async (asking, { group: written, settings }) => {
  const { address, group } = toTarget(written);
  for (const node of settingNodesOf(settings)) await changeGroup(asking, address, node);
  return { outcome: 'succeeded', result: { group, settings } };
};

export const askGroupLeave: Ask<'group_leave'> = async (asking, { group: written }) => {
  const { address, group } = toTarget(written);
  const answer = await askGroups(asking, 'set', ALL_GROUPS, aNode('leave', {}, [aNode('group', { id: address })]));
  asking.groups.forget(address);
  const code = Number(getBinaryNodeChild(getBinaryNodeChild(answer, 'leave'), 'group')?.attrs['error']);
  if (code > 0) return { outcome: 'refused', error: { code: 'refused', whatsappCode: code } };
  return { outcome: 'succeeded', result: { group, left: true } };
};
