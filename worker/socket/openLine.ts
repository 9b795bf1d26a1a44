import { jidDecode, makeWASocket } from '@whiskeysockets/baileys';
import { guardFrames, type RawSocket } from './frameGate.ts';
import { boundHandshake } from './handshakeDeadline.ts';
import { Retries } from './inbound/retries.ts';
import { KnownPeople } from './people/knownPeople.ts';
import { TalkedWith } from './people/talkedWith.ts';
import type { OpenSocketOptions } from './port/socketOptions.ts';
import { rawSocketOf, type Baileys } from './rawSocketOf.ts';
import { makeBaileysConfiguration } from './repairs/baileysConfiguration.ts';
import { DeviceLists } from './sending/deviceLists.ts';
import { GroupLookUps } from './sending/groupLookUps.ts';
import { KeyAnswers } from './sending/keyAnswers.ts';
import { letThrough } from './signal/directKeys.ts';
import { DurableRepository, type DurableRepositoryOptions } from './signal/durableRepository.ts';
import { makeSessionKeys } from './signal/sessionKeys.ts';
import { SessionRenewals } from './signal/sessionRenewals.ts';
import type { SocketCredentials } from './signal/socketCredentials.ts';
import { catchUnread } from './unreadFrames.ts';
import { watchRefusal } from './watchRefusal.ts';

export interface LineParts extends Pick<DurableRepositoryOptions, 'publish' | 'cut'> {
  readonly credentials: SocketCredentials;
}

/** Baileys on the line to WhatsApp, and the parts of ours that it works with. */
export interface Line {
  readonly socket: Baileys;
  readonly raw: RawSocket;
  readonly repository: DurableRepository;
  readonly people: KnownPeople;
  readonly talkedWith: TalkedWith;
  readonly retries: Retries;
  readonly groups: GroupLookUps;
  readonly devices: DeviceLists;
  readonly keyAnswers: KeyAnswers;
}

/** Opens the WebSocket, with the commit gate in it, and makes Baileys on top of it. */
export function openLine(options: OpenSocketOptions, parts: LineParts): Line {
  const { scope, gate, logger } = options;
  const { credentials, cut } = parts;
  const { keys, ...ours } = makeOurs(options, parts, () => socket);
  const socket: Baileys = makeWASocket(
    makeBaileysConfiguration(options, {
      auth: { creds: credentials.current, keys },
      makeSignalRepository: ours.repository.make,
      userDevicesCache: ours.devices,
      ...ours.retries.forBaileys,
      cachedGroupMetadata: ours.groups.find,
    }),
  );
  // Baileys makes messages of calls, aside and from whatever the caller wrote: where that fails, it ends the process.
  socket.ev.removeAllListeners('call');
  letThrough(socket.authState.keys, keys);
  const raw = rawSocketOf(socket);
  if (raw === null) throw new Error('Baileys has not made its WebSocket');
  scope.hold('socket', () => {
    raw.terminate();
    void socket.end(new Error('released by its owner'));
  });
  ours.keyAnswers.watch(scope, socket.ws);
  ours.devices.watchOwn(scope, socket.ws, () => Object.values(credentials.me()));
  guardFrames(raw, gate, credentials.saves);
  catchUnread(socket.ws, logger, cut);
  boundHandshake(raw, options, cut);
  watchRefusal(raw, logger, cut);
  return { ...ours, socket, raw };
}

function isThisDevice(
  { current, me }: Pick<SocketCredentials, 'current' | 'me'>,
  user: string,
  device: number,
): boolean {
  if (device !== jidDecode(current.me?.id)?.device) return false;
  const { phoneJid, lid } = me();
  return [phoneJid, lid].some((jid) => jid !== undefined && jidDecode(jid)?.user === user);
}

/**
 * Makes the parts of ours that Baileys gets.
 * @param socket returns Baileys, once it is made
 */
function makeOurs(options: OpenSocketOptions, { credentials, publish, cut }: LineParts, socket: () => Baileys) {
  const { connection, session, gate, clock, metrics } = options;
  const owner = connection.connectionId;
  const { me, saves } = credentials;
  const keys = makeSessionKeys(session, gate, cut, saves);
  const renewals = new SessionRenewals({ owner, monotonicMs: clock.monotonicMs, metrics });
  const people = new KnownPeople({ session, me, renewals });
  const keyAnswers = new KeyAnswers(clock.monotonicMs);
  // Baileys leaves this very device in the list of the account's LID, and nobody seals for oneself.
  const isUsable = (user: string, device: number): boolean =>
    keyAnswers.isUsable(user, device) && !isThisDevice(credentials, user, device);
  const { otherNameOf, welcomeNewSession: welcome } = people;
  const retries = new Retries(options, { socket, me, otherNameOf, welcome });
  return {
    keys,
    people,
    talkedWith: new TalkedWith({ session, me, logger: options.logger }),
    keyAnswers,
    retries,
    devices: new DeviceLists({ keys, nowMs: clock.nowMs, isUsable }),
    repository: new DurableRepository({ owner, keys, gate, renewals, publish, cut }),
    groups: new GroupLookUps(retries.members),
  };
}
