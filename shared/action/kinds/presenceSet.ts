import { z } from 'zod';
import { presences } from '../../connection/settings.ts';
import { actionRow } from '../actionRow.ts';

/** How long a presence that was asked for lasts where the caller says nothing, and at most, in seconds. */
const USUAL_SECONDS = 60;
const MOST_SECONDS = 3_600;

export const presenceSet = actionRow({
  kind: 'presence_set',
  method: 'POST',
  path: 'presence',
  summary: 'Show the account as available for a while, or as unavailable',
  description:
    'A connection announces what its setting `presence` says, `unavailable` if it says nothing. This changes it for a while; then the setting is ' +
    'announced again, and also at the next login. While an account is available its phone shows no notifications. ' +
    'A worker that dies leaves nothing behind: WhatsApp counts an account without a socket as unavailable.',
  request: z.strictObject({
    state: z.enum(presences),
    seconds: z.number().int().min(1).max(MOST_SECONDS).default(USUAL_SECONDS).meta({ description: 'How long.' }),
  }),
  result: z.object({
    state: z.enum(presences),
    until: z.iso.datetime().meta({ description: 'When the setting is announced again, at the latest.' }),
  }),
  example: {
    request: { state: 'available', seconds: 120 },
    result: { state: 'available', until: '2026-08-01T12:02:05.000Z' },
  },
  effect: 'repeatable',
  deadlineMs: 16_000,
  budget: { burst: 5, perSecond: 0.5 },
  access: 'tenant',
});
