import { limitErrorRules, type ErrorRule } from './limitErrorRules.ts';
import { archiveErrorRules } from './archiveErrorRules.ts';

/**
 * The closed catalogue of failures that a caller may learn about. Codes are stable: clients key on them.
 * Anything that is not here is a bug: it is logged with its stack and answered as `internal_error`.
 */
export const errorRules = {
  invalid_request: {
    httpStatus: 400,
    retry: 'never',
    sentence: 'The request is not valid. Correct the fields that are listed and send it again.',
  },
  invalid_json: {
    httpStatus: 400,
    retry: 'never',
    sentence: 'The body is not valid JSON. Send one JSON object with Content-Type application/json.',
  },
  invalid_cursor: {
    httpStatus: 400,
    retry: 'never',
    sentence:
      'The cursor is not one that this API gave out. Use `next` of an earlier page, or leave it out to start at the beginning.',
  },
  idempotency_key_invalid: {
    httpStatus: 400,
    retry: 'never',
    sentence: 'Idempotency-Key must be 1 to 128 visible ASCII characters.',
  },
  unauthorized: {
    httpStatus: 401,
    retry: 'never',
    sentence: 'No valid API key was given. Send the header Authorization: Bearer <API key>.',
  },
  ticket_invalid: {
    httpStatus: 401,
    retry: 'never',
    sentence:
      'The ticket is not known, was used, or is older than 60 seconds. Ask for one with POST /v1/events/stream-tickets.',
  },
  pairing_link_invalid: {
    httpStatus: 401,
    retry: 'never',
    sentence:
      'This opens no pairing page. Send Authorization: Pairing <token>, the text behind # in the url of a link.',
  },
  forbidden: {
    httpStatus: 403,
    retry: 'never',
    sentence: 'This API key may not do that. Use a key with the role that the route asks for.',
  },
  tenant_suspended: {
    httpStatus: 403,
    retry: 'later',
    sentence: 'This tenant is suspended until its operator resumes it. Its data is kept.',
  },
  route_not_found: {
    httpStatus: 404,
    retry: 'never',
    sentence: 'There is no such route. See /v1/openapi.json for those that exist.',
  },
  tenant_not_found: {
    httpStatus: 404,
    retry: 'never',
    sentence: 'There is no such tenant. Create it with POST /v1/admin/tenants.',
  },
  api_key_not_found: {
    httpStatus: 404,
    retry: 'never',
    sentence: 'This tenant has no such API key. List them with GET /v1/admin/tenants/{tenantId}/api-keys.',
  },
  connection_not_found: {
    httpStatus: 404,
    retry: 'never',
    sentence: 'There is no such connection. List yours with GET /v1/connections.',
  },
  message_not_found: {
    httpStatus: 404,
    retry: 'never',
    sentence: 'There is no such message on this connection. List them with GET /v1/connections/{id}/messages.',
  },
  ...archiveErrorRules,
  media_not_found: {
    httpStatus: 404,
    retry: 'never',
    sentence:
      'There is no such file. Messages that bring files name them in `media`; POST /v1/media brings one of yours.',
  },
  bulk_send_not_found: {
    httpStatus: 404,
    retry: 'never',
    sentence: 'There is no such bulk send on this connection. List them with GET /v1/connections/{id}/bulk-sends.',
  },
  no_poll: {
    httpStatus: 404,
    retry: 'never',
    sentence: 'This message is no poll. Ask for the results of a message whose content has the type poll.',
  },
  chat_not_found: {
    httpStatus: 404,
    retry: 'never',
    sentence:
      'This connection has no such chat, or nobody has written there for 90 days. List those it has with GET /v1/connections/{id}/chats.',
  },
  contact_not_found: {
    httpStatus: 404,
    retry: 'never',
    sentence:
      'This connection knows no such person. List those it knows with GET /v1/connections/{id}/contacts, or ask WhatsApp with POST /v1/connections/{id}/contacts/check.',
  },
  action_not_found: {
    httpStatus: 404,
    retry: 'never',
    sentence:
      'There is no such action. List those of a connection with GET /v1/connections/{id}/actions; they are kept for 7 days.',
  },
  webhook_not_found: {
    httpStatus: 404,
    retry: 'never',
    sentence: 'There is no such webhook. List yours with GET /v1/webhooks.',
  },
  pairing_not_found: {
    httpStatus: 404,
    retry: 'later',
    sentence: 'No pairing offer is out. Ask for one with POST /v1/connections/{id}/pairing and read it a moment later.',
  },
  pairing_pending: {
    httpStatus: 404,
    retry: 'later',
    sentence: 'The pairing offer that was asked for is being prepared. Read it again in a moment.',
  },
  pairing_link_not_found: {
    httpStatus: 404,
    retry: 'never',
    sentence: 'This connection has no such link. List them with GET /v1/connections/{id}/pairing-links.',
  },
  worker_not_found: {
    httpStatus: 404,
    retry: 'never',
    sentence: 'There is no such worker. List them with GET /v1/admin/fleet.',
  },
  streams_not_served: {
    httpStatus: 404,
    retry: 'never',
    sentence: 'This address serves no streams. Read GET /v1/events with wait=20 instead, or have a webhook called.',
  },
  method_not_allowed: {
    httpStatus: 405,
    retry: 'never',
    sentence: 'This route does not answer to that method. See /v1/openapi.json.',
  },
  not_acceptable: {
    httpStatus: 406,
    retry: 'never',
    sentence: 'This offer has no picture. Ask for application/json.',
  },
  passkey_not_asked: {
    httpStatus: 409,
    retry: 'later',
    sentence: 'No passkey is asked for now.',
  },
  connection_not_paired: {
    httpStatus: 409,
    retry: 'never',
    sentence: 'This connection has no linked WhatsApp account. Pair it first with POST /v1/connections/{id}/pairing.',
  },
  connection_already_paired: {
    httpStatus: 409,
    retry: 'never',
    sentence:
      'This connection already has a linked WhatsApp account. Log it out first with POST /v1/connections/{id}/logout, or create another connection for another account.',
  },
  connection_off: {
    httpStatus: 409,
    retry: 'never',
    sentence: 'This connection is switched off. Switch it on first with POST /v1/connections/{id}/start.',
  },
  connection_not_online: {
    httpStatus: 409,
    retry: 'later',
    sentence:
      'This connection is not online, so WhatsApp cannot be asked now. Ask again when its status is online, or give expires_at to have it done when it comes online until then.',
  },
  quotas_changed: {
    httpStatus: 412,
    retry: 'never',
    sentence:
      'The quotas of this tenant were changed meanwhile. Read them, and send the change again, with their ETag.',
  },
  change_conflict: {
    httpStatus: 409,
    retry: 'later',
    sentence: 'This connection was changed by another request at the same moment. Read it, and send the request again.',
  },
  media_awaited: {
    httpStatus: 409,
    retry: 'later',
    sentence: 'The file was not uploaded yet, or not all of it. GET /v1/media/{id}/info says where it goes.',
  },
  media_pending: {
    httpStatus: 409,
    retry: 'later',
    sentence: 'The file is being fetched from WhatsApp. Ask again in a moment, or wait for the event media.ready.',
  },
  media_left: {
    httpStatus: 409,
    retry: 'never',
    sentence:
      'The settings of the connection say that such a file is not fetched. Ask for it with POST /v1/media/{id}/fetch.',
  },
  bulk_send_over: {
    httpStatus: 409,
    retry: 'never',
    sentence:
      'This bulk send has ended or was cancelled, so it cannot be changed. Read it to see what has become of it.',
  },
  message_not_cancellable: {
    httpStatus: 409,
    retry: 'never',
    sentence: 'The message has left, is being sent, or is over already. Read it to see how far it got.',
  },
  act_not_possible: {
    httpStatus: 409,
    retry: 'never',
    sentence: 'This cannot be done with that message. The reason is said at the field that names it.',
  },
  edit_too_late: {
    httpStatus: 409,
    retry: 'never',
    sentence: 'WhatsApp lets a message be edited for 15 minutes after it was sent. Send a new one.',
  },
  message_not_movable: {
    httpStatus: 409,
    retry: 'never',
    sentence: 'The message is not scheduled any more, so its time cannot be changed. Read it to see how far it got.',
  },
  webhook_disabled: {
    httpStatus: 409,
    retry: 'never',
    sentence:
      'This webhook is disabled, since its receiver answered 410 or has taken nothing for five days. Resume it first with POST /v1/webhooks/{id}/resume.',
  },
  idempotency_conflict: {
    httpStatus: 409,
    retry: 'never',
    sentence:
      'This Idempotency-Key was used with another request in the last 24 hours: another body, or other parameters. Use a new key for a new request.',
  },
  worker_already_draining: {
    httpStatus: 409,
    retry: 'never',
    sentence: 'This worker drains already, or was asked to. Follow it with GET /v1/admin/fleet until it is dead.',
  },
  worker_dead: {
    httpStatus: 409,
    retry: 'never',
    sentence: 'This worker is dead, so there is nothing to drain. Follow its shards with GET /v1/admin/fleet.',
  },
  last_worker: {
    httpStatus: 409,
    retry: 'later',
    sentence: 'No other worker could take the shards of this one. Start another worker first, then drain this one.',
  },
  nothing_to_roll_back: {
    httpStatus: 409,
    retry: 'never',
    sentence: 'There is no canary and no earlier version to go back to. Name one with PUT /v1/admin/whatsapp-version.',
  },
  pairing_link_ended: {
    httpStatus: 410,
    retry: 'never',
    sentence: 'This link has expired, was revoked, or an account was linked by it. Make another.',
  },
  media_gone: {
    httpStatus: 410,
    retry: 'never',
    sentence:
      'The file is not kept any more: you deleted it, or its days are over. POST /v1/media/{id}/fetch may bring back one that came with a message.',
  },
  media_failed: {
    httpStatus: 410,
    retry: 'never',
    sentence:
      'The file could not be fetched. Read GET /v1/media/{id}/info to see why; POST /v1/media/{id}/fetch tries again.',
  },
  payload_too_large: {
    httpStatus: 413,
    retry: 'never',
    sentence: 'The body is larger than 256 KB. Send less in one request.',
  },
  unsupported_media_type: {
    httpStatus: 415,
    retry: 'never',
    sentence: 'The body must be JSON. Send the header Content-Type: application/json.',
  },
  webhook_url_not_allowed: {
    httpStatus: 422,
    retry: 'never',
    sentence: 'The webhook URL must be https and lead to a public address.',
  },
  recipient_invalid: {
    httpStatus: 400,
    retry: 'never',
    sentence: 'The recipient is not a phone number in international form, and not a WhatsApp address.',
  },
  not_possible_on_linked_devices: {
    httpStatus: 422,
    retry: 'never',
    sentence: 'WhatsApp shows this to nobody when a linked device sends it. The fields say what to send instead.',
  },
  ...limitErrorRules,
  internal_error: {
    httpStatus: 500,
    retry: 'later',
    sentence: 'Something went wrong on our side. Report the correlationId to the operator.',
  },
  no_shard_available: {
    httpStatus: 503,
    retry: 'later',
    sentence: 'All shards are full. The operator must raise the number of shards.',
  },
  not_enqueued: {
    httpStatus: 503,
    retry: 'later',
    sentence: 'The message could not be queued. Send the same request with the same Idempotency-Key again.',
  },
  store_unavailable: {
    httpStatus: 503,
    retry: 'later',
    sentence: 'A store did not answer in time. Send the same request again.',
  },
  ownership_lost: {
    httpStatus: 503,
    retry: 'later',
    sentence: 'Another worker owns this connection now. It will carry on with the work.',
  },
} as const satisfies Record<string, ErrorRule>;

export type ErrorCode = keyof typeof errorRules;
