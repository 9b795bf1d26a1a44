import type { BodyOf } from '../../content/content.ts';
import { present } from '../present.ts';
import { integer, readField, shape, text } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';
import { toMoment } from '../moment.ts';

const GROUP_INVITE = 28;
/** The type of a group that is a community. */
const PARENT = 1;

const invite = shape({
  groupId: text(1),
  code: text(2),
  expiresAt: integer(3),
  groupName: text(4),
  caption: text(6),
  groupType: integer(8),
});

export const groupInvite = {
  fields: [GROUP_INVITE],
  context: 7,
  fromWire: (parts) => {
    const read = readField(invite, parts.get(GROUP_INVITE));
    if (read === 'malformed') return read;
    const { groupId, code } = read;
    if (groupId === undefined || code === undefined) return 'nothing';
    return present({
      group_id: groupId,
      code,
      group_name: read.groupName,
      caption: read.caption,
      expires_at: toMoment(read.expiresAt),
      ...(read.groupType === PARENT ? { community: true as const } : {}),
    });
  },
} as const satisfies Understood<BodyOf<'group_invite'>>;
