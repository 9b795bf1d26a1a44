import type { StateEntry } from './appStatePhone.ts';
import type { AppStateBody } from './appStateRoutes.ts';
import type { HistoryBody } from './history.ts';
import type { PhoneCall } from './calls.ts';
import type { TranscriptEntry } from './phone.ts';
import type { z } from 'zod';
import type { faultSchema, registrationStrikeSchema, Strike } from './faults.ts';
import type { GroupSettings, Role } from './group.ts';
import { FileClient } from './media/fileClient.ts';
import type { FileKind } from './media/fileKinds.ts';
import type { Assertion, ExportedPasskey } from './passkeyCredential.ts';
import type { demandSchema, ShownLinking } from './passkeys.ts';
import type { ProfileBody } from './profileRoutes.ts';
import type { RawBody, StanzaBody, StanzaJson } from './rawRoutes.ts';
import type { Stats } from './stats.ts';

export interface PhoneDescription {
  readonly number: string;
  readonly lid: string;
  readonly name: string;
  readonly devices: readonly { readonly id: number; readonly logins: number; readonly waiting: number }[];
}

export interface GroupDescription {
  readonly id: string;
  readonly subject: string;
  readonly creator: string;
  readonly members: Readonly<Record<string, Role>>;
  readonly description: string;
  readonly settings: GroupSettings;
  /** The code of its link. */
  readonly code: string;
  /** Numbers of those who ask to join. */
  readonly requests: readonly string[];
  readonly community?: string;
}

export interface OutgoingMedia {
  readonly kind: FileKind;
  readonly data: Uint8Array;
  readonly mimetype: string;
  readonly fileName?: string;
}

export interface PhoneAppState {
  /** The versions of the collections, as the server has them. */
  readonly versions: Readonly<Record<string, number>>;
  readonly entries: readonly StateEntry[];
  readonly failures: readonly string[];
}

export interface ChannelDescription {
  readonly id: string;
  readonly name: string;
  readonly invite: string;
  /** Numbers of those who follow it. */
  readonly followers: readonly string[];
}

export interface PhoneProfile {
  readonly about: string;
  readonly disappearing: number;
  readonly privacy: Readonly<Record<string, string>>;
  /** Numbers of those who are blocked. */
  readonly blocked: readonly string[];
}

const DEADLINE_MS = 20_000;

/** Client of the simulator's control API. Throws an Error with the API's sentence when a call is refused. */
export class WhatsAppClient {
  readonly #url: string;

  /** Files: what phones send and show, and the media hosts. */
  readonly files: FileClient;

  constructor(controlUrl: string) {
    this.#url = controlUrl;
    this.files = new FileClient((method, path, body) => this.#call(method, path, body));
  }

  addPhone(number: string, name: string): Promise<PhoneDescription> {
    return this.#call('POST', '/phones', { number, name });
  }

  phones(): Promise<readonly PhoneDescription[]> {
    return this.#call('GET', '/phones');
  }

  /** Scans a QR text with a phone. Resolves when the client has accepted the pairing, or is asked for the passkey. */
  scan(number: string, qr: string): Promise<{ readonly device: number }> {
    return this.#call('POST', `/phones/${number}/link`, { qr });
  }

  /** Types a pairing code into the phone that it was asked for. */
  typeCode(number: string, code: string): Promise<{ readonly device: number }> {
    return this.#call('POST', `/phones/${number}/link`, { code, offerFor: number });
  }

  /** Gives an account a passkey, for which whoever links it is asked from now on. */
  demandPasskey(number: string, how: z.input<typeof demandSchema> = {}): Promise<void> {
    return this.#call('POST', `/phones/${number}/passkey`, how);
  }

  /** Signs the request of the present linking with the account's passkey, as a browser on this origin does. */
  signPasskey(number: string, origin?: string): Promise<Assertion> {
    return this.#call('POST', `/phones/${number}/passkey/sign`, origin === undefined ? {} : { origin });
  }

  /** The passkey of an account itself, for the virtual authenticator of a browser. */
  exportPasskey(number: string): Promise<ExportedPasskey> {
    return this.#call('GET', `/phones/${number}/passkey/key`);
  }

  /** What the phone shows of the linking by passkey. */
  passkey(number: string): Promise<ShownLinking> {
    return this.#call('GET', `/phones/${number}/passkey`);
  }

  /** Writes a text from a phone, to a number or a group. Returns the stanza id. */
  write(number: string, to: string, text: string): Promise<string> {
    return this.#write(number, { to, text });
  }

  /** Encrypts a text now and leaves it with the phone until `release`: the scenario "encrypted ahead". */
  writeAhead(number: string, to: string, text: string): Promise<string> {
    return this.#write(number, { to, text, ahead: true });
  }

  /** Writes a text that linked devices get without its content: they must ask their phone. Returns the stanza id. */
  writePlaceholder(number: string, to: string, text: string): Promise<string> {
    return this.#write(number, { to, text, placeholder: true });
  }

  /** Sends one of a phone's messages again, under the same id, to the linked devices of its recipients. */
  async repeat(number: string, id: string): Promise<void> {
    await this.#call('POST', `/phones/${number}/repeat`, { id });
  }

  /** Posts a status update from a phone, or writes to a broadcast list: a text, or any message. Returns the stanza id. */
  async broadcast(
    number: string,
    to: readonly string[],
    said: string | Uint8Array,
    list = 'status@broadcast',
  ): Promise<string> {
    const what = typeof said === 'string' ? { text: said } : { plaintext: Buffer.from(said).toString('base64') };
    return (await this.#call<{ readonly id: string }>('POST', `/phones/${number}/broadcasts`, { list, to, ...what }))
      .id;
  }

  /** A newsletter that an account follows brings a post. Returns the stanza id. */
  async post(number: string, newsletter: string, text: string): Promise<string> {
    const path = `/phones/${number}/newsletter-posts`;
    return (await this.#call<{ readonly id: string }>('POST', path, { newsletter, text })).id;
  }

  /** A phone calls another account. Returns the id of the call. */
  async call(number: string, to: string, video = false): Promise<string> {
    return (await this.#call<{ readonly id: string }>('POST', `/phones/${number}/calls`, { to, video })).id;
  }

  /** A call that a phone made is over: its caller ends it, or the called phone accepts or refuses it. */
  async endCall(number: string, id: string, as: Exclude<PhoneCall['state'], 'ringing'>): Promise<void> {
    await this.#call('POST', `/phones/${number}/calls/${id}/end`, { as });
  }

  /** The calls that a phone made, and what became of them. */
  calls(number: string): Promise<readonly PhoneCall[]> {
    return this.#call('GET', `/phones/${number}/calls`);
  }

  /** Sends what a phone has encrypted ahead, the oldest first. Returns the stanza ids. */
  async release(number: string, count?: number): Promise<readonly string[]> {
    const body = count === undefined ? {} : { count };
    return (await this.#call<{ readonly ids: readonly string[] }>('POST', `/phones/${number}/release`, body)).ids;
  }

  /** Sends media from a phone. Returns the stanza id. */
  writeMedia(number: string, to: string, media: OutgoingMedia, caption?: string): Promise<string> {
    const { data, ...described } = media;
    const encoded = { ...described, data: Buffer.from(data).toString('base64') };
    return this.#write(number, { to, media: encoded, ...(caption === undefined ? {} : { caption }) });
  }

  /** The content of media that a phone shows, opened with the phone's key. */
  async media(number: string, id: string): Promise<Buffer> {
    const { data } = await this.#call<{ readonly data: string }>('GET', `/phones/${number}/media/${id}`);
    return Buffer.from(data, 'base64');
  }

  /** A phone says any bytes, or sends what nobody sealed. Returns the stanza id and how many linked devices get it. */
  raw(number: string, body: RawBody): Promise<{ readonly id: string; readonly devices: number }> {
    return this.#call('POST', `/phones/${number}/raw`, body);
  }

  /** A phone sends any stanza; the server writes who it is from. Returns how many linked devices get it. */
  stanza(number: string, body: StanzaBody): Promise<{ readonly devices: number }> {
    return this.#call('POST', `/phones/${number}/stanza`, body);
  }

  /** What a phone shows: what it decrypted and what it sent, in order. */
  messages(number: string): Promise<readonly TranscriptEntry[]> {
    return this.#call('GET', `/phones/${number}/messages`);
  }

  /** What a phone could not decrypt, with the reason. */
  failures(number: string): Promise<readonly { readonly id: string; readonly reason: string }[]> {
    return this.#call('GET', `/phones/${number}/failures`);
  }

  async read(number: string, id: string): Promise<void> {
    await this.#call('POST', `/phones/${number}/read`, { id });
  }

  /** A phone tells its linked devices of a part of its history. */
  async tellHistory(number: string, body: HistoryBody): Promise<void> {
    await this.#call('POST', `/phones/${number}/history`, body);
  }

  /** What a phone has of before, for linked devices that ask it. */
  async keepPast(number: string, body: HistoryBody): Promise<void> {
    await this.#call('POST', `/phones/${number}/past`, body);
  }

  /** A phone gives a linked device a new key for app-state patches. Both parts in base64. */
  shareAppStateKey(number: string, device: number): Promise<{ readonly keyId: string; readonly keyData: string }> {
    return this.#call('POST', `/phones/${number}/devices/${device}/app-state-keys`, {});
  }

  /** The owner changes something of the state that the devices share. Returns the version that this makes. */
  async changeAppState(number: string, body: AppStateBody): Promise<number> {
    return (await this.#call<{ readonly version: number }>('POST', `/phones/${number}/app-state`, body)).version;
  }

  /** What a phone knows of the state that its devices share, and the patches of its devices that it refused. */
  appState(number: string): Promise<PhoneAppState> {
    return this.#call('GET', `/phones/${number}/app-state`);
  }

  /** Sets WhatsApp up again on a phone: it has new keys, and those who know it are told. */
  async reinstall(number: string): Promise<void> {
    await this.#call('POST', `/phones/${number}/reinstall`);
  }

  async removeDevice(number: string, device: number): Promise<void> {
    await this.#call('DELETE', `/phones/${number}/devices/${device}`);
  }

  /** Makes a group. */
  addGroup(creator: string, subject: string, members: readonly string[]): Promise<GroupDescription> {
    return this.#call('POST', '/groups', { creator, subject, members });
  }

  groups(): Promise<readonly GroupDescription[]> {
    return this.#call('GET', '/groups');
  }

  changeMembers(
    group: string,
    by: string,
    change: 'add' | 'remove' | 'promote' | 'demote',
    members: readonly string[],
  ): Promise<GroupDescription> {
    return this.#call('POST', `/groups/${group}/members`, { by, change, members });
  }

  /** A phone asks the server of groups, as apps do: of one group, or with `@g.us` of none. Throws where it is refused. */
  async askGroups(by: string, type: 'get' | 'set', to: string, stanza: StanzaJson): Promise<void> {
    await this.#call('POST', `/phones/${by}/group-queries`, { type, to, stanza });
  }

  /** The owner of a phone lets nobody add the account to groups, or all again. */
  async closeToGroups(number: string, isClosed: boolean): Promise<void> {
    await this.#call('POST', `/phones/${number}/group-privacy`, { isClosed });
  }

  /** The owner of a phone makes a channel. */
  addChannel(owner: string, name: string, description = ''): Promise<ChannelDescription> {
    return this.#call('POST', '/channels', { owner, name, description });
  }

  channels(): Promise<readonly ChannelDescription[]> {
    return this.#call('GET', '/channels');
  }

  /** The owner of a phone changes what the account shows of itself. */
  async setProfile(number: string, profile: ProfileBody): Promise<void> {
    await this.#call('POST', `/phones/${number}/profile`, profile);
  }

  /** What an account shows of itself, how it is set, and whom it has blocked. */
  profile(number: string): Promise<PhoneProfile> {
    return this.#call('GET', `/phones/${number}/profile`);
  }

  /** The owner of a phone blocks somebody, or no longer. */
  async block(by: string, number: string, action: 'block' | 'unblock'): Promise<void> {
    await this.#call('POST', `/phones/${by}/blocks`, { number, action });
  }

  async fault(fault: z.input<typeof faultSchema>): Promise<void> {
    await this.#call('POST', '/faults', fault);
  }

  /** Does something at once to live sockets, or to clients that are registering. Returns how many it hit. */
  async strike(strike: Strike | z.input<typeof registrationStrikeSchema>): Promise<number> {
    return (await this.#call<{ readonly sockets: number }>('POST', '/faults', strike)).sockets;
  }

  async clearFaults(): Promise<void> {
    await this.#call('DELETE', '/faults');
  }

  stats(): Promise<Stats> {
    return this.#call('GET', '/stats');
  }

  async #write(number: string, body: object): Promise<string> {
    return (await this.#call<{ readonly id: string }>('POST', `/phones/${number}/messages`, body)).id;
  }

  async #call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      signal: AbortSignal.timeout(DEADLINE_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${(answer as { readonly error: string }).error}`);
    return answer as Answer;
  }
}
