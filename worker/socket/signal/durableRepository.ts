import { AsyncLocalStorage } from 'node:async_hooks';
import { hash } from 'node:crypto';
import { Semaphore } from 'async-mutex';
import {
  addTransactionCapability,
  DEFAULT_CONNECTION_CONFIG,
  MISSING_KEYS_ERROR_TEXT,
  proto,
  unpadRandomMax16,
  type BinaryNode,
  type UserFacingSocketConfig,
} from '@whiskeysockets/baileys';
import { isStatus } from '../../../shared/kernel/jid.ts';
import type { CommitGate } from '../../fleet/gate.ts';
import { KeyedMutex } from '../../session/keyedMutex.ts';
import { addressLocks } from './addressLocks.ts';
import { baileysLogger } from '../repairs/baileysLogger.ts';
import { boundAddresses } from '../port/boundedAddresses.ts';
import { receiveDurably, sendDurably, withMark } from './durableSteps.ts';
import { sealingTurns } from '../port/fairTurns.ts';
import { orNothing } from '../wire/plaintext.ts';
import { SenderKeys } from './senderKeys.ts';
import type { SessionKeys } from './sessionKeys.ts';
import type { SessionRenewals } from './sessionRenewals.ts';

type MakeRepository = NonNullable<UserFacingSocketConfig['makeSignalRepository']>;
type Repository = ReturnType<MakeRepository>;
type OwnKeys = ReturnType<typeof addTransactionCapability>;

/** How one ciphertext is opened. */
interface Opening {
  readonly decrypt: () => Promise<Uint8Array>;
  /** Keeps what the message brings beside what is published of it. */
  readonly keep?: (stanza: BinaryNode, padded: Uint8Array) => Promise<void>;
}

/**
 * The one queue of libsignal that is left, the one of new sessions: never two in it, or one would run in the other's
 * transaction.
 */
const newSessions = new KeyedMutex();

/**
 * The copies of a message that one connection seals at once, each of which writes its step to the store: a thousand at once would wait
 * there for one another, for longer than a write is waited for.
 */
const SEALED_AT_ONCE = 64;

/** An empty message, padded: Baileys finds nothing in it and sends the receipt. */
const NOTHING = Buffer.from([1]);

export interface DurableRepositoryOptions {
  /** The name that tells the accounts of a process apart. */
  readonly owner: string;
  readonly keys: SessionKeys;
  readonly gate: CommitGate;
  readonly renewals: SessionRenewals;
  /** Publishes what was decrypted from a stanza. Resolves when it is durable. */
  readonly publish: (stanza: BinaryNode, padded: Uint8Array) => Promise<void>;
  /** Cuts the connection at once: nothing more may leave. Failures of the key store cut it themselves. */
  readonly cut: (cause: unknown) => void;
}

/**
 * Baileys' Signal repository, made durable through its one public hook:
 *
 * - Sending: the ratchet step, or a later one of its chain, is in the store before the ciphertext is handed back, so no message key is used twice even
 *   if the process dies between the two (promise *no-key-reuse*). Baileys itself commits after the wire.
 * - Receiving: decrypt, publish, and only then does the step become durable; Baileys sends the receipt after that
 *   (promise *nothing-lost-in*). If publishing or storing fails the socket is cut first, so that no receipt, no request to
 *   repeat and no refusal leaves: WhatsApp delivers again.
 * - A sender key that a message brings is in the store before the step that opened it: otherwise a crash between the two
 *   would lose it, with every message of that sender to the group.
 * - A stanza that was handled already is answered with its receipt and not decrypted again: WhatsApp brings it back when
 *   the receipt was lost, and its key is used up. The last stanzas of a session are kept with the session.
 * - One lock per account and address for sending and receiving. No account waits for another: libsignal's own queue, which
 *   is global and keyed by address alone, is out of use (`libsignalRepairs`).
 * - Each status, and each repetition of one, is sealed with a sender key of its own, which its viewers get with it: who is
 *   not among them any more can read nothing that follows.
 * - A healthy session is not replaced. Baileys makes a new one whenever its device cache is empty; only a request to
 *   repeat, or no session, is a reason.
 *
 * The repository has a transaction store of its own, so its work never joins a transaction that Baileys holds open across
 * the wire.
 */
export class DurableRepository {
  readonly #options: DurableRepositoryOptions;
  /** The stanzas of ciphertexts, by the Buffer object, which Baileys passes on. */
  readonly #stanzas = new WeakMap<Uint8Array, BinaryNode>();
  /** The promise of what has to be durable beside its own step before a ciphertext is returned. */
  readonly #awaited = new AsyncLocalStorage<Promise<void>>();
  #sealing: Semaphore | undefined;

  constructor(options: DurableRepositoryOptions) {
    this.#options = options;
  }

  /** Remembers which stanza the ciphertexts of a message belong to. Called before Baileys sees it. */
  noteMessage(stanza: BinaryNode): void {
    if (!Array.isArray(stanza.content)) return;
    for (const child of stanza.content) {
      if (child.tag === 'enc' && child.content instanceof Uint8Array) this.#stanzas.set(child.content, stanza);
    }
  }

  /**
   * Runs work in which something is sealed. It goes on while `durable` is on its way, but no ciphertext that is made
   * within it is returned before, and none if it rejects.
   */
  sealAfter<Result>(durable: Promise<void>, work: () => Promise<Result>): Promise<Result> {
    return this.#awaited.run(durable, work);
  }

  /** The copies that are sealed at once. Made with the first of them, as most connections send nothing. */
  #someAtOnce(): Semaphore {
    this.#sealing ??= new Semaphore(SEALED_AT_ONCE);
    return this.#sealing;
  }

  /** The hook for Baileys' configuration. */
  readonly make: MakeRepository = (auth, _logger, toLid) => {
    const { keys } = this.#options;
    const ownKeys = addTransactionCapability(keys, baileysLogger, { maxCommitRetries: 1, delayBetweenTriesMs: 0 });
    const inner = DEFAULT_CONNECTION_CONFIG.makeSignalRepository(
      { creds: auth.creds, keys: ownKeys },
      baileysLogger,
      toLid,
    );
    boundAddresses(inner);
    const senderKeys = new SenderKeys(auth.creds, keys, (group, author, work) =>
      this.#inTurn(senderKeyOf(inner, group, author), work),
    );
    return {
      ...inner,
      decryptMessage: async (request) =>
        this.#receive(ownKeys, await lockOf(inner, request.jid), request.ciphertext, {
          decrypt: () => inner.decryptMessage(request),
          keep: (stanza, padded) => senderKeys.learn(stanza, padded),
        }),
      decryptGroupMessage: async (request) =>
        this.#receive(ownKeys, senderKeyOf(inner, request.group, request.authorJid), request.msg, {
          decrypt: () => inner.decryptGroupMessage(request),
        }),
      // Every key that may be kept has been, when its message was opened. Baileys knows only which group the key names.
      processSenderKeyDistributionMessage: async () => undefined,
      encryptMessage: (request) =>
        this.#someAtOnce().runExclusive(async () => {
          await sealingTurns.take();
          return this.#send(ownKeys, await lockOf(inner, request.jid), () => inner.encryptMessage(request));
        }),
      encryptGroupMessage: async (request) => {
        const name = senderKeyOf(inner, request.group, request.meId);
        return this.#send(ownKeys, name, async () => {
          // The key of an earlier status would let its audience read this one: each is sealed with a key of its own.
          if (isStatus(request.group)) await ownKeys.set({ 'sender-key': { [name]: null } });
          return inner.encryptGroupMessage(request);
        });
      },
      injectE2ESession: async (request) => {
        await sealingTurns.take();
        return this.#begin(ownKeys, inner, request);
      },
      validateSession: async (jid) =>
        (await this.#hasOpenSession(inner, jid)) ? { exists: true } : inner.validateSession(jid),
    };
  };

  /**
   * Whether there is certainly an open session with a device. Baileys and we ask that three times for each message, of
   * each device, and Baileys would decode the whole record each time.
   */
  async #hasOpenSession(inner: Repository, jid: string): Promise<boolean> {
    const isPlain = jid.endsWith('@lid') || jid.endsWith('@s.whatsapp.net');
    return isPlain && this.#options.keys.hasOpenSession(await lockOf(inner, jid));
  }

  #inTurn<Result>(address: string, work: () => Promise<Result>): Promise<Result> {
    return addressLocks.run(this.#options.owner, address, work);
  }

  #inTransaction<Result>(keys: OwnKeys, address: string, work: () => Promise<Result>): Promise<Result> {
    return this.#inTurn(address, () => keys.transaction(work, address));
  }

  async #receive(keys: OwnKeys, address: string, ciphertext: Uint8Array, steps: Opening): Promise<Uint8Array> {
    const stanza = this.#stanzas.get(ciphertext);
    let decrypted = false;
    try {
      return await this.#inTransaction(keys, address, async () => {
        if (stanza === undefined) return steps.decrypt();
        const ring = await readRing(keys, address);
        const mark = markOf(stanza, ciphertext);
        const plain = await receiveDurably({
          isHandled: async () => ring.includes(mark),
          decrypt: async () => {
            const padded = await steps.decrypt();
            decrypted = true;
            return padded;
          },
          publish: async (padded) => {
            await this.#options.publish(stanza, padded);
            await steps.keep?.(stanza, padded);
          },
          markHandled: () => writeRing(keys, address, withMark(ring, mark)),
        });
        return plain === 'handled' || !isForBaileys(plain) ? NOTHING : plain;
      });
    } catch (error) {
      // A message that could not be decrypted is Baileys' to answer; one that could not be made durable must not be
      // answered at all.
      if (decrypted) this.#options.cut(error);
      throw askable(error);
    }
  }

  #send<Result>(keys: OwnKeys, address: string, encrypt: () => Promise<Result>): Promise<Result> {
    return sendDurably(this.#options.gate, async () => {
      const sealed = await this.#inTransaction(keys, address, encrypt);
      await this.#awaited.getStore();
      return sealed;
    });
  }

  /** A new session with a device, unless there is a healthy one. */
  async #begin(
    keys: OwnKeys,
    inner: Repository,
    request: Parameters<Repository['injectE2ESession']>[0],
  ): Promise<void> {
    const { renewals } = this.#options;
    const address = await lockOf(inner, request.jid);
    await this.#inTransaction(keys, address, async () => {
      const { exists } = await inner.validateSession(request.jid);
      if (exists && !renewals.isWelcome(request.jid)) return;
      await newSessions.run(address, () => inner.injectE2ESession(request));
      if (exists) renewals.count(address);
    });
  }
}

/**
 * Whether Baileys makes a message of this. One that it cannot use is published by then, and its step is used: without
 * this Baileys would ask the sender to repeat it, who would send the same.
 */
function isForBaileys(padded: Uint8Array): boolean {
  return orNothing(() => proto.Message.decode(unpadRandomMax16(padded))) !== undefined;
}

interface KeysOfOurs {
  readonly get: (type: 'handled', ids: string[]) => Promise<Record<string, unknown>>;
  readonly set: (values: { readonly handled: Record<string, unknown> }) => Promise<void>;
}

/**
 * Reads the ring of handled stanzas. `handled` is a type of ours beside Baileys' own; inside a transaction it is read
 * and written like the others.
 */
async function readRing(keys: unknown, key: string): Promise<readonly string[]> {
  const found = await (keys as KeysOfOurs).get('handled', [key]);
  return (found[key] as readonly string[] | undefined) ?? [];
}

function writeRing(keys: unknown, key: string, ring: readonly string[]): Promise<void> {
  return (keys as KeysOfOurs).set({ handled: { [key]: ring } });
}

/**
 * The mark of a stanza: eight bytes that name it among those of one sender. What is sealed in it counts, since all places of
 * a live location come under one id; WhatsApp brings a stanza back as it was. One that its sender has sealed anew is opened
 * once more, and ingest tells its message once.
 */
function markOf({ attrs }: BinaryNode, ciphertext: Uint8Array): string {
  return hash('sha256', `${attrs['from']}/${attrs['id']}/${hash('sha256', ciphertext)}`).slice(0, 16);
}

/** The key of the lock of an address: by LID where one is known, because that is where the session is kept. */
async function lockOf(repository: Repository, jid: string): Promise<string> {
  const lid = jid.endsWith('@s.whatsapp.net') ? await repository.lidMapping.getLIDForPN(jid) : undefined;
  return repository.jidToSignalProtocolAddress(lid ?? jid);
}

/** The name under which Baileys keeps a sender's key in a group; also the key of its lock. */
function senderKeyOf(repository: Repository, group: string, jid: string): string {
  return `${group}::${repository.jidToSignalProtocolAddress(jid).replace('.', '::')}`;
}

/**
 * The error of a message for which its sender should be asked. A message whose key is gone and that was not handled is
 * one that its sender has to repeat. Baileys takes it for one that came twice, by these words, and refuses it for good:
 * nobody would ever see it. A message that did come twice is found by its mark before.
 */
function askable(error: unknown): unknown {
  const isKeyGone = error instanceof Error && error.message.includes(MISSING_KEYS_ERROR_TEXT);
  return isKeyGone ? new Error('the key of this message is gone', { cause: error }) : error;
}
