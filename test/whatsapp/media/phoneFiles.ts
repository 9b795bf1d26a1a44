import { proto } from '@whiskeysockets/baileys';
import type { Faults } from '../faults.ts';
import { bytesOf, child, type BinaryNode } from '../node.ts';
import type { TranscriptEntry } from '../phone.ts';
import { findAddress, type Account, type Address, type LinkedDevice, type World } from '../world.ts';
import { retryNotice, openRetryRequest, type RetryAnswer } from './againSeal.ts';
import { FileOpener, type Verdict } from './fileOpener.ts';
import { fileOf } from './filesOf.ts';
import type { MediaLog } from './mediaLog.ts';
import { uploadPlain, uploadSealed, type FileFacts, type OutgoingFile } from './outgoingFile.ts';

/** What phones do with files: they upload what their owners send, check what they were sent, and upload it again when asked. */
export interface PhoneFilesContext {
  readonly world: World;
  readonly faults: Faults;
  readonly log: MediaLog;
  /** Host and port that links name. */
  readonly host: () => string;
  readonly enqueue: (device: LinkedDevice, stanza: BinaryNode) => void;
}

const { SUCCESS, NOT_FOUND, DECRYPTION_ERROR, GENERAL_ERROR } = proto.MediaRetryNotification.ResultType;
const FAILURES = { not_found: NOT_FOUND, decryption_error: DECRYPTION_ERROR, general_error: GENERAL_ERROR } as const;

/** What a phone opens by itself: files up to a size. Others wait for their owner. */
interface Downloads {
  readonly mostBytes: number;
  readonly waiting: (() => Promise<void>)[];
}

export class PhoneFiles {
  readonly #context: PhoneFilesContext;
  readonly #opener: FileOpener;
  readonly #downloads = new Map<string, Downloads>();

  constructor(context: PhoneFilesContext) {
    this.#context = context;
    this.#opener = new FileOpener(context.world.files);
  }

  /** Uploads what a phone's owner sends. @param isPost to a channel, where files are not sealed */
  upload(account: Account, file: OutgoingFile, isPost = false): Promise<FileFacts> {
    const upload = { store: this.#context.world.files, host: this.#context.host(), by: account.number };
    return isPost ? uploadPlain(upload, file) : uploadSealed(upload, file);
  }

  /** A phone fetches and checks the file of a message that it shows, unless it leaves that to its owner, and says then what it found. */
  async check(account: Account, from: string, id: string, message: proto.IMessage): Promise<void> {
    const open = async (): Promise<void> => {
      const verdict = await this.open(message, false);
      account.phone.noteFile(from, id, { ...verdict, state: verdict.complaints.length === 0 ? 'opened' : 'unopened' });
    };
    const downloads = this.#downloads.get(account.number);
    if ((fileOf(message)?.shown.bytes ?? 0) <= (downloads?.mostBytes ?? Infinity)) return open();
    account.phone.noteFile(from, id, { state: 'left' });
    downloads?.waiting.push(open);
  }

  /** A phone opens larger files from now on only when its owner says so; with null it opens all, and those that have waited. */
  async openUpTo(account: Account, mostBytes: number | null): Promise<void> {
    const waiting = this.#downloads.get(account.number)?.waiting ?? [];
    if (mostBytes !== null) {
      this.#downloads.set(account.number, { mostBytes, waiting });
      return;
    }
    this.#downloads.delete(account.number);
    for (const open of waiting) await open();
  }

  /** Fetches and checks the file of a message. @param isPost in a channel, where files are not sealed */
  async open(message: proto.IMessage, isPost: boolean): Promise<Verdict> {
    const file = fileOf(message);
    if (file === undefined) return { complaints: [], sidecar: 'none' };
    return this.#opener.open(file.shown, file.fields, isPost);
  }

  /** What the media hosts answered beside the path when a file of a channel was uploaded. */
  handleOf(directPath: string): string | undefined {
    const found = this.#context.world.files.find(directPath);
    return 'file' in found ? found.file.handle : undefined;
  }

  /** The content of a file that a phone shows and has. */
  content(entry: TranscriptEntry): AsyncIterable<Buffer> | undefined {
    return entry.media?.state === 'opened' ? this.#opener.content(entry.media) : undefined;
  }

  /**
   * A linked device could not fetch a file and asks its phone to upload it again. The phone answers when it has the file, with
   * another path for the same bytes under the same key; otherwise with a failure.
   */
  again(account: Account, receipt: BinaryNode): void {
    const { id = '', from } = receipt.attrs;
    const device = account.devices.get(findAddress(this.#context.world, from)?.device ?? 0);
    if (device === undefined) return;
    this.#context.log.countAgainRequest(account.number);
    const fault = this.#context.faults.take('upload_again', account.number);
    if (fault?.answer === 'silence') return;
    const entry = this.#entryOf(account, receipt);
    const answer = ((): RetryAnswer => {
      if (fault !== undefined && fault.answer in FAILURES) {
        const result = FAILURES[fault.answer as keyof typeof FAILURES];
        return { result, isSealed: fault.form === 'sealed' };
      }
      return this.#answerAgain(account, receipt, entry, fault?.answer === 'gone_path');
    })();
    const key =
      fault?.answer === 'foreign_seal' ? Buffer.alloc(32, 1) : Buffer.from(entry?.media?.mediaKey ?? '', 'base64');
    this.#context.enqueue(device, retryNotice(account, id, child(receipt, 'rmr'), answer, key));
  }

  #answerAgain(
    account: Account,
    receipt: BinaryNode,
    entry: TranscriptEntry | undefined,
    isGone: boolean,
  ): RetryAnswer {
    const { files } = this.#context.world;
    const media = entry?.media;
    if (entry === undefined || media?.state !== 'opened' || media.mediaKey === '') {
      return { result: NOT_FOUND, isSealed: false };
    }
    const sealed = child(receipt, 'encrypt');
    const asked = openRetryRequest(
      Buffer.from(media.mediaKey, 'base64'),
      entry.id,
      bytesOf(sealed, 'enc_p'),
      bytesOf(sealed, 'enc_iv'),
    );
    if (asked !== entry.id) return { result: DECRYPTION_ERROR, isSealed: true };
    const file = files.list().findLast(({ sha256 }) => sha256 === media.sealedSha256);
    if (file === undefined) return { result: NOT_FOUND, isSealed: false };
    const renewed = files.renew(file, account.number);
    if (isGone) files.remove(renewed, 410);
    const directPath = files.pathOf(renewed);
    account.phone.noteFile(entry.from, entry.id, { directPath });
    return { result: SUCCESS, isSealed: true, directPath };
  }

  /** The message that is meant: the phone shows it in that chat, from that sender. */
  #entryOf(account: Account, receipt: BinaryNode): TranscriptEntry | undefined {
    const { world } = this.#context;
    const { jid = '', from_me: fromMe, participant } = child(receipt, 'rmr')?.attrs ?? {};
    const other: Address | undefined = findAddress(world, participant ?? jid);
    const from = fromMe === 'true' ? account.number : other?.account.number;
    const chat = jid.endsWith('@g.us') || jid.endsWith('@broadcast') ? jid : findAddress(world, jid)?.account.number;
    const entry = from === undefined ? undefined : account.phone.shows(from, receipt.attrs['id'] ?? '');
    return entry?.chat === chat ? entry : undefined;
  }
}
