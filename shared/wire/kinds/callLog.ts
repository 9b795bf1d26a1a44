import type { BodyOf } from '../../content/content.ts';
import { withoutDevice } from '../../kernel/jid.ts';
import { fieldOf, inFields } from '../oneField.ts';
import { flag, integer, parts, shape, text, type Read } from '../shape.ts';
import type { Understood } from '../understoodKind.ts';

type Body = BodyOf<'call_log'>;

const CALL = 10;
const CALL_LOG = 69;
const BROADCAST_CALL = 72;
const log = shape({
  video: flag(1),
  outcome: integer(2),
  duration: integer(3),
  type: integer(4),
  participants: parts(5, shape({ id: text(1), outcome: integer(2) })),
});
const outcomes: readonly Body['outcome'][] = [
  'connected',
  'missed',
  'failed',
  'rejected',
  'accepted_elsewhere',
  'ongoing',
  'silenced_by_dnd',
  'silenced_unknown_caller',
];
const types: readonly Body['kind'][] = ['call', 'scheduled_call', 'voice_chat'];
const VIDEO = 2;

const outcomeOf = (number: number | undefined): Body['outcome'] => outcomes[number ?? -1] ?? 'unknown';

export const callLog: Understood<Body> = inFields<Body>([
  fieldOf({ field: CALL_LOG, shape: log, toBody: fromLog }),
  // The key of a call is nothing for tenants.
  fieldOf({
    field: CALL,
    shape: shape({ reason: text(12) }),
    context: 7,
    toBody: ({ reason }): Body => ({ outcome: 'offered', kind: 'call', reason }),
  }),
  fieldOf({
    field: BROADCAST_CALL,
    shape: shape({ media: integer(2), caption: text(4) }),
    toBody: ({ media, caption }): Body => ({
      outcome: 'offered',
      kind: 'broadcast',
      video: media === VIDEO ? true : undefined,
      caption,
    }),
  }),
]);

function fromLog({ video, outcome, duration, type, participants }: Read<typeof log>): Body {
  return {
    outcome: outcomeOf(outcome),
    kind: types[type ?? 0] ?? 'call',
    video,
    duration,
    participants: participants?.map((each) => ({
      id: withoutDevice(each.id ?? ''),
      outcome: outcomeOf(each.outcome),
    })),
  };
}
