import type { makeWASocket, proto } from '@whiskeysockets/baileys';
import type { ActionKind, RequestOf, ResultOf } from '../../../shared/action/actionKinds.ts';
import type { ActionOutcome } from '../port/actionOutcome.ts';
import type { KnownCall, RingingCalls } from '../people/ringingCalls.ts';
import type { ShownPresence } from '../people/shownPresence.ts';
import type { AppState } from '../appState/appState.ts';
import type { OpenSocketOptions } from '../port/socketOptions.ts';
import type { GroupMembers } from '../people/groupMembers.ts';
import type { HeardPresences } from '../people/heardPresences.ts';
import type { Recipients } from '../sending/recipients.ts';

/** The means to ask for an action: one open socket, and what is known of people. */
export interface Asking {
  readonly socket: ReturnType<typeof makeWASocket>;
  readonly recipients: Pick<Recipients, 'resolve' | 'learn' | 'knownAddressOf'>;
  /** Finds the other name of a person, where it is known. It asks nothing of WhatsApp. */
  readonly otherNameOf: (address: string) => Promise<string | undefined>;
  /** The groups as they are known. */
  readonly groups: Pick<GroupMembers, 'ask' | 'forSending' | 'forget'>;
  /** What WhatsApp says of who is there. */
  readonly presences: Pick<HeardPresences, 'next'>;
  /** What WhatsApp is told of the account: whether it is there, and where it types. */
  readonly presence: Pick<ShownPresence, 'now' | 'show' | 'type'>;
  /** The messages of others, to mark them. */
  readonly received: OpenSocketOptions['received'];
  /** All messages that are kept, sent ones too. */
  readonly kept: OpenSocketOptions['kept'];
  /** The account's phone, as it is asked for what was before. */
  readonly phone: {
    readonly askForHistory: (request: proto.Message.IPeerDataOperationRequestMessage) => Promise<'answered' | 'silent'>;
  };
  /** What WhatsApp has answered about phone numbers. */
  readonly lookUps: OpenSocketOptions['lookUps'];
  /** Has a picture fetched that WhatsApp shows. */
  readonly keepPicture: OpenSocketOptions['keepPicture'];
  /** The picture that the action sets: a JPEG; left out for every other action. */
  readonly picture?: Uint8Array;
  /** The state that the account's devices share. */
  readonly appState: Pick<AppState, 'write' | 'look'>;
  /** The calls that came, and how one is refused. */
  readonly calls: Pick<RingingCalls, 'withId'> & {
    readonly reject: (call: Pick<KnownCall, 'callId' | 'caller'>) => Promise<void>;
  };
  readonly nowMs: () => number;
  /** Makes a tag for a query, as Baileys makes them. */
  readonly makeTag: () => string;
  /** How long Baileys waits for an answer, in milliseconds. */
  readonly queryTimeoutMs: number;
}

/**
 * Asks WhatsApp for one kind of action. Returns its answer; `askWhatsApp` judges errors: a refusal with a number and
 * silence need no word here.
 */
export type Ask<Kind extends ActionKind> = (
  asking: Asking,
  request: RequestOf<Kind>,
) => Promise<
  Extract<ActionOutcome<ResultOf<Kind>>, { readonly outcome: 'succeeded' | 'partly' | 'refused' | 'unanswered' }>
>;
