import type { Closed, Reason } from '../screen.ts';

/** Everything that the page says. `{n}` is a number of seconds, and `{account}` the end of a phone number. */
export interface Words {
  readonly title: string;
  readonly loading: string;
  readonly choose: string;
  readonly byQr: string;
  readonly byCode: string;
  readonly qrTitle: string;
  readonly qrSteps: readonly string[];
  readonly qrPicture: string;
  readonly codeTitle: string;
  readonly codeSteps: readonly string[];
  readonly numberLabel: string;
  readonly numberHint: string;
  readonly numberWrong: string;
  readonly getCode: string;
  readonly back: string;
  readonly otherWay: string;
  readonly newIn: string;
  readonly endsIn: string;
  readonly preparing: string;
  readonly again: string;
  readonly signTitle: string;
  readonly signWhy: string;
  readonly signMissing: string;
  readonly sign: string;
  readonly signing: string;
  readonly signRefused: string;
  readonly compareTitle: string;
  readonly compareHow: string;
  readonly same: string;
  readonly different: string;
  readonly linked: string;
  readonly linkedTo: string;
  readonly finishing: string;
  readonly canClose: string;
  readonly goOn: string;
  readonly offline: string;
  readonly tooMany: string;
  readonly failed: string;
  readonly reasons: Readonly<Record<Reason, string>>;
  readonly closedTitle: string;
  readonly closed: Readonly<Record<Closed, string>>;
}

export const en: Words = {
  title: 'Link your WhatsApp',
  loading: 'Loading …',
  choose: 'Have the phone with WhatsApp at hand. How would you like to link it?',
  byQr: 'Scan a QR code',
  byCode: 'Type a code on this phone',
  qrTitle: 'Scan this code with your phone',
  qrSteps: [
    'Open WhatsApp on your phone.',
    'Open Settings, then Linked devices.',
    'Tap Link a device and scan the code.',
  ],
  qrPicture: 'QR code for WhatsApp',
  codeTitle: 'Type this code in WhatsApp',
  codeSteps: [
    'Open WhatsApp, then Settings and Linked devices.',
    'Tap Link a device, then Link with phone number instead.',
    'Type the code.',
  ],
  numberLabel: 'Your WhatsApp number',
  numberHint: 'With the country code, for example +44 7700 900123.',
  numberWrong: 'That is no phone number. Write it with the country code, beginning with +.',
  getCode: 'Get the code',
  back: 'Back',
  otherWay: 'Link another way',
  newIn: 'New code in {n} s',
  endsIn: 'Valid for another {n} s',
  preparing: 'One moment, the code is being made …',
  again: 'Try again',
  signTitle: 'WhatsApp asks for your passkey',
  signWhy: 'This account is protected by a passkey. WhatsApp wants it before a device is linked.',
  signMissing:
    'The passkey can only be used with the browser extension of this service, and this browser does not have it. Ask whoever sent you the link for it, or open the link in a browser that has it.',
  sign: 'Use my passkey',
  signing: 'Go on in the window of WhatsApp that has opened …',
  signRefused: 'The passkey was not used. You can try again.',
  compareTitle: 'Is this the code on your phone?',
  compareHow:
    'WhatsApp on your phone shows a code. Go on only if it is exactly this one: a different code means that somebody else is trying to link a device.',
  same: 'It is the same',
  different: 'It is different',
  linked: 'Linked',
  linkedTo: 'The account {account} is linked.',
  finishing: 'The connection is being opened …',
  canClose: 'You can close this page.',
  goOn: 'Continue',
  offline: 'No connection. Trying again …',
  tooMany: 'Too many attempts. Wait a little before you try again.',
  failed: 'That did not work. Try again.',
  reasons: {
    expired: 'The code was not used in time.',
    refused: 'WhatsApp did not allow a new device. Try again later.',
    number: 'WhatsApp refused a code for this number. Check the number, or scan a QR code.',
    unreachable: 'WhatsApp cannot be reached at the moment. We keep trying.',
    banned: 'WhatsApp has restricted this account. Open WhatsApp on your phone to see why.',
    operator: 'This cannot be solved here. Tell whoever sent you the link.',
    working: 'One moment …',
    unlinked: 'No account is linked.',
    passkey:
      'WhatsApp asks for a passkey of this account, which this page cannot give. Tell whoever sent you the link.',
    checking: 'WhatsApp and your phone are checking the passkey …',
    late: 'The passkey was not used in time.',
    unknown: 'The connection ended for an unknown reason. Try again.',
  },
  closedTitle: 'This link cannot be used',
  closed: {
    ended: 'It has expired, was used, or was withdrawn. Ask for a new one where you got it.',
    invalid: 'The address is not complete. Open the link again exactly as you got it.',
    suspended: 'The service is paused. Ask whoever sent you the link.',
    origin: 'The page is shown inside a site that the link is not for.',
  },
};
