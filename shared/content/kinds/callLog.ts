import { always, count, holds, list, oneOf, prose, said, word } from '../bodyField.ts';
import { bodyShape, record, type BodyOfShape } from '../bodyShape.ts';
import type { ContentKind } from '../contentKind.ts';

const outcome = oneOf([
  'connected',
  'missed',
  'failed',
  'rejected',
  'accepted_elsewhere',
  'ongoing',
  'silenced_by_dnd',
  'silenced_unknown_caller',
  'offered',
  'unknown',
]);
const fields = {
  outcome: always(outcome, 'unknown'),
  kind: always(oneOf(['call', 'scheduled_call', 'voice_chat', 'broadcast']), 'call'),
  video: holds(),
  duration: said(count(), 'In seconds.'),
  reason: word(),
  caption: prose(),
  participants: list(record({ id: always(word(), ''), outcome: always(outcome, 'unknown') }), 256),
} as const;

export const callLog = {
  description: 'A line of the chat about a call. A call that rings is `call.received`.',
  example: {
    outcome: 'missed',
    kind: 'call',
    video: true,
    participants: [{ id: '236471520047@lid', outcome: 'missed' }],
  },
  ...bodyShape(fields),
} as const satisfies ContentKind<BodyOfShape<typeof fields>>;
