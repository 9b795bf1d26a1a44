import type { BinaryNode, makeWASocket } from '@whiskeysockets/baileys';
import { TimeoutError, withDeadline } from '../../../shared/kernel/deadline.ts';
import { deadlines } from '../../../shared/kernel/deadlines.ts';
import { withDefaults } from '../../../shared/connection/settings.ts';
import { isChannel, isPerson, isStatus, maskAddress, withoutDevice } from '../../../shared/kernel/jid.ts';
import { goesToMany } from '../../../shared/message/recipient.ts';
import { brakingRefusals } from '../../../shared/connection/brakes.ts';
import type { AccountLimits } from './accountLimits.ts';
import type { Acknowledgements } from './acknowledgements.ts';
import type { LookUp, MediaHosts, SendOutcome, SendRequest, SentToGroup } from '../port/connectionSocket.ts';
import { STALE_DEVICE_LIST, type DeviceLists } from './deviceLists.ts';
import { DeviceLookUps } from './deviceLookUps.ts';
import type { DurableRepository } from '../signal/durableRepository.ts';
import { isMe, type Me } from '../wire/envelope.ts';
import type { GroupLookUps } from './groupLookUps.ts';
import type { KeyAnswers } from './keyAnswers.ts';
import { toLeaving, WithoutFileError, type LeavingMessage } from './leavingMessages.ts';
import type { TalkedWith } from '../people/talkedWith.ts';
import { LookUpError, refusalIn, toOutcome } from '../port/lookUpError.ts';
import { MediaConnection } from './mediaConnection.ts';
import { toPost } from '../wire/post.ts';
import { toSentFile } from '../wire/sentFileFacts.ts';
import { Recipients } from './recipients.ts';
import { ownAddress, StatusViewers, type PreparedViewers } from './statusViewers.ts';
import type { OpenSocketOptions } from '../port/socketOptions.ts';

type Baileys = Pick<
  ReturnType<typeof makeWASocket>,
  | 'relayMessage'
  | 'sendNode'
  | 'onWhatsApp'
  | 'getUSyncDevices'
  | 'assertSessions'
  | 'signalRepository'
  | 'query'
  | 'generateMessageTag'
>;
type Options = Pick<OpenSocketOptions, 'config' | 'clock' | 'logger' | 'metrics' | 'session' | 'random' | 'settings'>;

interface Parts {
  readonly socket: Baileys;
  readonly groups: GroupLookUps;
  readonly acknowledgements: Acknowledgements;
  readonly devices: DeviceLists;
  readonly keyAnswers: KeyAnswers;
  readonly repository: Pick<DurableRepository, 'sealAfter'>;
  readonly limits: Pick<AccountLimits, 'ask'>;
  readonly talkedWith: Pick<TalkedWith, 'isKnown' | 'note'>;
  readonly me: () => Me;
}

/** Where a message goes. */
interface Target {
  readonly stanzaId: string;
  readonly address: string;
  /** The people who get it, if it is a status. */
  readonly viewers: readonly string[] | undefined;
}

/** Sends messages on one socket, and finds out the outcome of each. */
export class Outgoing {
  readonly #options: Options;
  readonly #parts: Parts;
  readonly #recipients: Recipients;
  readonly #deviceLookUps: DeviceLookUps;
  readonly #statusViewers: StatusViewers;
  readonly #media: MediaConnection;

  constructor(options: Options, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
    const times = { queryTimeoutMs: options.config.onlineQueryTimeoutMs, monotonicMs: options.clock.monotonicMs };
    this.#recipients = new Recipients(options.session, parts.socket, times);
    this.#deviceLookUps = new DeviceLookUps({ ...parts, ...times });
    const makeTag = parts.socket.generateMessageTag;
    this.#media = new MediaConnection({ ...times, socket: parts.socket, makeTag });
    const [recipients, deviceLookUps] = [this.#recipients, this.#deviceLookUps];
    this.#statusViewers = new StatusViewers({
      ...parts,
      ...times,
      session: options.session,
      recipients,
      deviceLookUps,
      makeTag,
    });
  }

  /** Sends a message. Never rejects: an outcome that is not known is `unknown`. */
  async send(request: SendRequest): Promise<SendOutcome> {
    const { clock, logger, metrics } = this.#options;
    const { devices, groups, me, acknowledgements } = this.#parts;
    const { stanzaId, to } = request;
    const begunAtMs = clock.monotonicMs();
    try {
      const address = await this.#recipients.resolve(to);
      if (address === undefined) return { outcome: 'no_account' };
      if (address !== to) await request.resolved?.(address);
      if ((await this.#judgeContact(request, address)) === 'wait') return { outcome: 'first_contact_waits' };
      const viewers = await this.#viewersOf(request);
      if (viewers === 'nobody') return { outcome: 'no_viewers' };
      if (viewers === 'in_part') return { outcome: 'audience_in_part' };
      if (!(await this.#prepare(address))) return { outcome: 'no_account' };
      const message = await toLeaving(request, { chat: address, me: me() }, this.#options);
      const target = { stanzaId, address, viewers };
      let error = await this.#transmitToAll(message, target);
      if (error === STALE_DEVICE_LIST) {
        // Nothing was delivered. With fresh lists it can be.
        groups.forget(address);
        await devices.dropFor(address, Object.values(me()) as readonly (string | undefined)[]);
        await this.#prepare(address);
        const again = await this.#viewersAgain(request);
        if (typeof again === 'string') return { outcome: 'no_viewers' };
        error = await this.#transmit(message, { ...target, viewers: again });
      }
      if (error !== undefined) return this.#refused(error);
      metrics.count('MessagesSent', {});
      const toAlias = await this.#recipients.otherNameOf(address, me());
      await this.#parts.talkedWith.note([to, address, toAlias]);
      return {
        outcome: 'acknowledged',
        atMs: clock.nowMs(),
        ...(toAlias === undefined ? {} : { toAlias }),
        ...(address === me().phoneJid || address === me().lid ? { toSelf: true } : {}),
        ...(goesToMany(address) ? this.#toMany(viewers) : {}),
        ...sentFileIn(message),
      };
    } catch (error) {
      if (error instanceof WithoutFileError) return { outcome: 'file_missing' };
      // A number is an answer: WhatsApp hears us. A socket that has lost it shows silence.
      const isSilent = error instanceof TimeoutError || (error instanceof LookUpError && error.code === undefined);
      if (isSilent) acknowledgements.giveUp(stanzaId, begunAtMs);
      logger.warn('send not acknowledged', { stanzaId, to: maskAddress(to), error });
      return error instanceof LookUpError ? toOutcome(error) : { outcome: 'unknown' };
    }
  }

  /** The look-ups that a message to this address needs now. It asks nothing of WhatsApp. */
  async lookUpsFor(to: string): Promise<ReadonlySet<LookUp>> {
    // The viewers stand in a row elsewhere. A status that needs nothing waits a minute at most with those that do.
    if (isStatus(to)) return new Set<LookUp>(['account', 'devices', 'keys']);
    if (isChannel(to)) return new Set<LookUp>();
    if (!isPerson(to)) return new Set<LookUp>(this.#parts.groups.isKnown(to) ? [] : ['group']);
    const address = await this.#recipients.knownAddressOf(to);
    if (address === undefined) return new Set<LookUp>(['account', 'devices', 'keys']);
    return new Set(await this.#deviceLookUps.neededFor(address));
  }

  /** Where files may be uploaded. Rejects with a `LookUpError`. */
  mediaHosts(afresh: boolean): Promise<MediaHosts> {
    return this.#media.ask(afresh);
  }

  /** One name for all known addresses of a person. It asks nothing of WhatsApp. */
  chatOf(to: string): Promise<string> {
    return this.#recipients.chatOf(to, this.#parts.me());
  }

  /** Whether a message to this address is a first contact, as far as its addresses are known. It asks nothing of WhatsApp. */
  async isFirstContact(to: string): Promise<boolean> {
    if (!isPerson(to)) return false;
    const known = await this.#recipients.knownAddressOf(to);
    const other = await this.#recipients.otherNameOf(known ?? to, this.#parts.me());
    return !(await this.#parts.talkedWith.isKnown([to, known, other]));
  }

  /** The accounts of numbers, as far as they are known or WhatsApp tells them. */
  get recipients(): Pick<Recipients, 'resolve' | 'learn' | 'knownAddressOf'> {
    return this.#recipients;
  }

  /** Whether a message may leave for this person now. Asked where the account is known: of one there are two spellings. */
  async #judgeContact({ to, firstContact }: SendRequest, address: string): Promise<'go' | 'wait'> {
    if (firstContact === undefined || !isPerson(address)) return 'go';
    const other = await this.#recipients.otherNameOf(address, this.#parts.me());
    return (await this.#parts.talkedWith.isKnown([to, address, other])) ? 'go' : firstContact();
  }

  /** A refusal of new contacts may be a lock of which WhatsApp knows the end. The answer is not waited for. */
  #refused(code: number): SendOutcome {
    if (brakingRefusals[code] === 'restricted') void this.#parts.limits.ask();
    return { outcome: 'refused', code };
  }

  /** The viewers of a status, or a step towards them; undefined for every other message. */
  async #viewersOf({ stanzaId, audience, triedBefore = false }: SendRequest): Promise<PreparedViewers | undefined> {
    return audience && this.#statusViewers.prepare(stanzaId, audience, triedBefore);
  }

  /** The viewers of a status after their lists of devices were dropped. */
  async #viewersAgain(request: SendRequest): Promise<PreparedViewers | undefined> {
    this.#statusViewers.forget();
    return this.#viewersOf({ ...request, triedBefore: true });
  }

  /** The group was asked for before the message left, and messages leave one at a time. */
  #toMany(viewers: readonly string[] | undefined): SentToGroup {
    const { groups, me } = this.#parts;
    const members = viewers?.length ?? groups.members.filter((jid) => !isMe(withoutDevice(jid), me())).length;
    const { groupStatus } = withDefaults(this.#options.settings?.());
    return { members, ...(groupStatus === 'first' ? { statusBy: 'first' } : {}) };
  }

  /** Whether there is anybody to send to. A group is asked for by Baileys, through our hook. */
  async #prepare(address: string): Promise<boolean> {
    if (!isPerson(address)) return true;
    const prepared = await withDeadline('asking how somebody is reached', deadlines.send.ms, () =>
      this.#deviceLookUps.prepare(address),
    );
    return prepared === 'ready';
  }

  /** Sends, and once more where it was found meanwhile that some devices cannot be written to: then it goes without them. */
  async #transmitToAll(message: LeavingMessage, target: Target): Promise<number | undefined> {
    const { keyAnswers } = this.#parts;
    const before = keyAnswers.found;
    try {
      return await this.#transmit(message, target);
    } catch (error) {
      // A message that took too long may have left.
      if (keyAnswers.found === before || error instanceof TimeoutError) throw error;
      return this.#transmit(message, target);
    }
  }

  /** Sends once. Resolves to undefined when WhatsApp has accepted it, or to the number of its refusal. */
  async #transmit(leaving: LeavingMessage, target: Target): Promise<number | undefined> {
    const { acknowledgements } = this.#parts;
    const { stanzaId: messageId } = target;
    const acknowledged = acknowledgements.expect(messageId);
    try {
      await this.#write(leaving, target).catch(async (error: unknown) => {
        const code = refusalIn(error);
        // Baileys asks before it writes: a refused query means that nothing has left.
        throw code === undefined || error instanceof LookUpError
          ? error
          : new LookUpError(await this.#whichFailed(target), code, error);
      });
      const { serverAckTimeoutMs } = this.#options.config;
      return await withDeadline('the ack of WhatsApp', serverAckTimeoutMs, () => acknowledged);
    } finally {
      acknowledgements.forget(messageId);
    }
  }

  /** Seals a message and writes its stanza; a post of a channel is not sealed. Nothing leaves before it is kept. */
  async #write(leaving: LeavingMessage, { stanzaId: messageId, address, viewers }: Target): Promise<void> {
    const { socket, repository, me } = this.#parts;
    const { message, attributes = {}, nodes = [], kept } = leaving;
    if (isChannel(address)) {
      return withDeadline('sending a post', deadlines.send.ms, async () => {
        await kept;
        await socket.sendNode(toPost(leaving, address, messageId));
      });
    }
    const around = {
      additionalAttributes: attributes,
      additionalNodes: [...nodes] as BinaryNode[],
      ...(viewers !== undefined ? { statusJidList: [...viewers, ownAddress(me())] } : {}),
    };
    await withDeadline('sending a message', deadlines.send.ms, () =>
      repository.sealAfter(kept, () => socket.relayMessage(address, message, { messageId, ...around })),
    );
  }

  /** Finds which look-up failed, as Baileys does not say so. It stores the devices before it asks for their keys. */
  async #whichFailed({ address, viewers }: Target): Promise<LookUp> {
    const { devices, groups } = this.#parts;
    const people = isPerson(address) ? [address] : (viewers ?? groups.members);
    const users = people.map((jid) => jid.split(/[:@]/)[0] ?? '');
    const lists = await devices.mget(users);
    return users.every((user) => lists[user] !== undefined) ? 'keys' : 'devices';
  }
}

/** What a message that left says of its file, where it is one. */
function sentFileIn({
  message,
}: LeavingMessage): Pick<Extract<SendOutcome, { readonly outcome: 'acknowledged' }>, 'sentFile'> {
  const sentFile = toSentFile(message);
  return sentFile === undefined ? {} : { sentFile };
}
