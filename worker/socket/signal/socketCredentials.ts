import { initAuthCreds, type AuthenticationCreds, type SignalDataTypeMap } from '@whiskeysockets/baileys';
import type { LinkedAccount } from '../port/connectionSocket.ts';
import type { OpenSocketOptions } from '../port/socketOptions.ts';
import type { Me } from '../wire/envelope.ts';
import { toLinkedAccount } from '../wire/toLinkedAccount.ts';
import { CredentialSaves } from './credentialSaves.ts';

type AppStateKeys = Readonly<Record<string, SignalDataTypeMap['app-state-sync-key']>>;

/**
 * The credentials of one socket. Credentials of a pairing are made for it and stay in memory until it succeeds: half a
 * pairing can never be logged in with.
 */
export class SocketCredentials {
  /** The credentials that Baileys works with, and changes. */
  readonly current: AuthenticationCreds;
  readonly saves: CredentialSaves;
  readonly #session: OpenSocketOptions['session'];
  #isPairing: boolean;

  /**
   * The credentials of a login or a pairing.
   * @param cut called when credentials cannot be saved
   * @throws Error when the session holds none for a login
   */
  constructor({ session, pairing }: Pick<OpenSocketOptions, 'session' | 'pairing'>, cut: (cause: unknown) => void) {
    this.#session = session;
    this.#isPairing = pairing !== undefined;
    const stored = session.credentials as AuthenticationCreds | undefined;
    if (!this.#isPairing && stored === undefined) throw new Error('there are no credentials to log in with');
    this.current = this.#isPairing || stored === undefined ? initAuthCreds() : stored;
    this.saves = new CredentialSaves(session, cut);
  }

  account(): LinkedAccount {
    return toLinkedAccount(this.current);
  }

  readonly me = (): Me => {
    const { phoneJid, lid } = this.account();
    return { phoneJid, lid };
  };

  /** Notes that the pairing has succeeded, and its credentials are durable: from here on changes are saved. */
  paired(): void {
    this.#isPairing = false;
  }

  /**
   * Saves the credentials after Baileys has changed them. Before a pairing has succeeded there is nothing to store; a
   * failure cuts the socket.
   */
  readonly changed = (): void => {
    if (!this.#isPairing) this.saves.save(this.current).catch(() => undefined);
  };

  /** Resolves when app-state keys, and which of them is the newest, are durable. */
  async storeAppStateKeys(keys: AppStateKeys): Promise<void> {
    const newest = Object.keys(keys).at(-1);
    if (newest === undefined) return;
    await this.#session.setKeys({ 'app-state-sync-key': keys });
    this.current.myAppStateKeyId = newest;
    await this.saves.save(this.current);
  }
}
