export interface ErrorRule {
  readonly httpStatus: number;
  /** Whether the same request can succeed later without being changed. */
  readonly retry: 'never' | 'later';
  /** One sentence or more for the person who reads the answer: what happened and what to do about it. */
  readonly sentence: string;
}

/** The failures of the catalogue (`errorRules.ts`) that say that there is no more of something, now or for this tenant. */
export const limitErrorRules = {
  too_many_requests: {
    httpStatus: 429,
    retry: 'later',
    sentence:
      'More requests came than this tenant, this key or this address may make. Wait as long as Retry-After says, and send fewer at a time.',
  },
  too_many_messages: {
    httpStatus: 429,
    retry: 'later',
    sentence:
      'This tenant has sent as many messages as it may in this time. Wait as long as Retry-After says, or ask the operator for more.',
  },
  too_many_pairings: {
    httpStatus: 429,
    retry: 'later',
    sentence:
      'As many pairing offers were asked for as may be in an hour. Wait as long as Retry-After says; the offer that is out still counts.',
  },
  too_many_bytes: {
    httpStatus: 429,
    retry: 'later',
    sentence: 'This tenant has brought as many bytes of files as it may in a day. Wait as long as Retry-After says.',
  },
  too_many_parked: {
    httpStatus: 429,
    retry: 'later',
    sentence: 'Too many messages wait for this connection to come online. Send again when some have left.',
  },
  too_many_bulk_sends: {
    httpStatus: 429,
    retry: 'later',
    sentence: 'Too many bulk sends of this connection are open. Ask again when one ends, or cancel one.',
  },
  too_many_actions: {
    httpStatus: 429,
    retry: 'later',
    sentence:
      'Too many actions of this connection are not over, or too many were asked for in a minute. Ask again when some are over.',
  },
  too_many_readers: {
    httpStatus: 429,
    retry: 'later',
    sentence: 'As many requests and streams of this tenant stay at the event log as may. Ask again when one has ended.',
  },
  webhook_test_too_soon: {
    httpStatus: 429,
    retry: 'later',
    sentence: 'This webhook was tested a moment ago. Test it again in three seconds.',
  },
  quota_exceeded: {
    httpStatus: 429,
    retry: 'later',
    sentence: 'This tenant has reached the most it may have of these. Delete some, or ask the operator for more.',
  },
  no_share_left: {
    httpStatus: 429,
    retry: 'later',
    sentence:
      'This tenant has its share of the places for connections that are left. Delete a connection, or ask the operator for more places.',
  },
} as const satisfies Record<string, ErrorRule>;
