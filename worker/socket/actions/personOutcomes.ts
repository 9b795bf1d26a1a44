import { getBinaryNodeChild, type BinaryNode } from '@whiskeysockets/baileys';
import type { PersonOutcome } from '../../../shared/action/groupFields.ts';
import { isCode } from '../../../shared/action/kinds/groupInvites.ts';
import { isLid } from '../../../shared/kernel/jid.ts';
import { toContact } from '../../../shared/message/party.ts';
import { toCount, toPerson, toTime } from '../wire/toGroup.ts';
import { aNode } from './groupQuery.ts';
import type { NamedPerson } from './namedPeople.ts';

/** What becomes of each person whom a change of a group names: WhatsApp answers with a node for each. */

/** The node that names a person in a change. @param withNumber whether a LID has its number beside it, for people who are new */
export function toParticipantNode(
  { jid, other }: { readonly jid: string; readonly other?: string },
  withNumber: boolean,
): BinaryNode {
  const number = withNumber && isLid(jid) && other !== undefined ? { phone_number: other } : {};
  return aNode('participant', { jid, ...number });
}

/** The outcome of each person of a request, in its order. */
export function toOutcomes(people: readonly NamedPerson[], said: readonly BinaryNode[]): PersonOutcome[] {
  const answers = said.flatMap((node) => {
    const person = toPerson(node);
    return person === undefined ? [] : [{ node, names: [person.address, person.alias] }];
  });
  return people.map(({ input, names }): PersonOutcome => {
    if (names.length === 0) return { input, outcome: 'no_account' };
    const about = answers.find((answer) => answer.names.some((name) => name !== undefined && names.includes(name)));
    const contact = toContact(...names, ...(about?.names ?? []));
    return { input, contact, ...(about === undefined ? { outcome: 'unknown' } : outcomeOf(about.node)) };
  });
}

function outcomeOf(node: BinaryNode): Pick<PersonOutcome, 'outcome' | 'whatsappCode' | 'invite'> {
  const code = toCount(node.attrs['error']);
  if (code === undefined || code === 200) return { outcome: 'done' };
  const offered = getBinaryNodeChild(node, 'add_request')?.attrs ?? {};
  const { code: invitation, expiration } = offered;
  if (!isCode(invitation)) return { outcome: 'refused', whatsappCode: code };
  const until = toTime(expiration);
  const invite = { code: invitation, ...(until === undefined ? {} : { expires_at: until }) };
  return { outcome: 'invitation_needed', whatsappCode: code, invite };
}
