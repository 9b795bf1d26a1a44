/** The statuses that are recorded and published of a connection. Machine states are internal, and are other words. */
export const connectionStatuses = [
  'unpaired',
  'awaiting_pairing',
  'connecting',
  'online',
  'reconnecting',
  'handing_off',
  'restricted',
  'failed',
  'off',
] as const;
export type ConnectionStatus = (typeof connectionStatuses)[number];

/** The action that a status asks of the tenant. */
export const userActions = ['none', 'pair_again', 'wait', 'contact_operator'] as const;
export type UserAction = (typeof userActions)[number];

interface StatusRule {
  readonly sentence: string;
  readonly userAction: UserAction;
}

/** The reasons of a status: a stable code, one sentence, and the action for the tenant. */
export const statusRules = {
  never_paired: { sentence: 'No WhatsApp account has been linked yet.', userAction: 'pair_again' },
  offer_out: { sentence: 'A pairing offer is out and waits for the phone.', userAction: 'none' },
  offer_expired: { sentence: 'The pairing offer was not used in time.', userAction: 'pair_again' },
  pairing_refused: { sentence: 'WhatsApp refused to link a device; try again later.', userAction: 'pair_again' },
  code_refused: {
    sentence: 'WhatsApp refused a pairing code for this phone number; check the number, or link by QR.',
    userAction: 'pair_again',
  },
  passkey_required: {
    sentence: "WhatsApp asks for the account's passkey: sign its request on web.whatsapp.com, and send the assertion.",
    userAction: 'none',
  },
  passkey_checking: { sentence: 'WhatsApp and the phone are looking at the passkey.', userAction: 'none' },
  passkey_confirm: {
    sentence: 'The phone shows a code: compare it with the one of the offer, and confirm that they are the same.',
    userAction: 'none',
  },
  passkey_refused: { sentence: 'WhatsApp refused the passkey; link again, and sign anew.', userAction: 'pair_again' },
  passkey_expired: { sentence: 'The linking by passkey was not finished in time.', userAction: 'pair_again' },
  passkey_unsupported: {
    sentence: 'WhatsApp asked for a passkey in a form that is not known here.',
    userAction: 'contact_operator',
  },
  opening: { sentence: 'The connection to WhatsApp is being opened.', userAction: 'none' },
  open: { sentence: 'Connected to WhatsApp.', userAction: 'none' },
  restart_required: { sentence: 'WhatsApp asked for a new connection; it is being opened.', userAction: 'none' },
  restarting: { sentence: 'The connection is being opened again on request.', userAction: 'none' },
  network_lost: { sentence: 'The connection to WhatsApp was lost; it is being opened again.', userAction: 'none' },
  whatsapp_unreachable: {
    sentence: 'WhatsApp cannot be reached: there is no way to its host from here; we try again.',
    userAction: 'wait',
  },
  whatsapp_unreachable_host: {
    sentence: 'WhatsApp cannot be reached: its host name was not found; we try again.',
    userAction: 'wait',
  },
  whatsapp_unreachable_refused: {
    sentence: 'WhatsApp cannot be reached: the connection was refused; we try again.',
    userAction: 'wait',
  },
  whatsapp_unreachable_timeout: {
    sentence: 'WhatsApp cannot be reached: nothing answered in time; we try again.',
    userAction: 'wait',
  },
  whatsapp_unreachable_tls: {
    sentence: 'WhatsApp cannot be reached: no trusted TLS connection came about; we try again.',
    userAction: 'wait',
  },
  server_unavailable: { sentence: 'WhatsApp is not available at the moment; we try again.', userAction: 'none' },
  stream_fault: {
    sentence: 'WhatsApp ended the connection over a fault in its stream; we try again.',
    userAction: 'none',
  },
  never_success: {
    sentence: 'WhatsApp took the connection but did not finish the login; we try again.',
    userAction: 'none',
  },
  silent_server: { sentence: 'WhatsApp fell silent; the connection is being opened again.', userAction: 'none' },
  deaf: {
    sentence: 'Messages came in but were not handled; the connection is being opened again.',
    userAction: 'none',
  },
  sends_stuck: {
    sentence: 'Messages went out but nothing answered them; the connection is being opened again.',
    userAction: 'none',
  },
  store_failed: {
    sentence:
      'We could not store what came from WhatsApp, or read what this connection needs; it is opened again and nothing is lost.',
    userAction: 'wait',
  },
  unknown: { sentence: 'WhatsApp closed the connection without a known reason; we try again.', userAction: 'none' },
  replaced: { sentence: 'Another program uses the same linked device; we try again a few times.', userAction: 'none' },
  conflict: { sentence: 'Another program keeps using the same linked device.', userAction: 'contact_operator' },
  logged_out: { sentence: 'The phone or WhatsApp removed this linked device.', userAction: 'pair_again' },
  device_removed: { sentence: "The account's main device is gone.", userAction: 'pair_again' },
  banned: { sentence: 'WhatsApp has banned this account.', userAction: 'contact_operator' },
  temporarily_banned: { sentence: 'WhatsApp has restricted this account for a time.', userAction: 'wait' },
  client_outdated: {
    sentence:
      'WhatsApp refuses our client version; the connection comes back by itself when operators have changed it.',
    userAction: 'contact_operator',
  },
  client_refused: { sentence: 'WhatsApp refuses this client.', userAction: 'contact_operator' },
  multi_device_mismatch: {
    sentence: 'The phone does not support linked devices in this form.',
    userAction: 'contact_operator',
  },
  too_many_attempts: {
    sentence: 'The connection could not be opened many times in a row; slow retries go on.',
    userAction: 'contact_operator',
  },
  moving: { sentence: 'The connection moves to another worker and is back in seconds.', userAction: 'none' },
  unlinked: { sentence: 'The linked device was removed on request.', userAction: 'pair_again' },
  stopped: { sentence: 'The connection is switched off on request.', userAction: 'none' },
} as const satisfies Record<string, StatusRule>;

export type StatusCode = keyof typeof statusRules;
export const statusCodes = Object.keys(statusRules) as [StatusCode, ...StatusCode[]];
