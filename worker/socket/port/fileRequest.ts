import type { MediaId, StanzaId } from '../../../shared/kernel/id.ts';

/** The message of a file that the account's phone is asked to upload again. */
export interface FileRequest {
  readonly chat: string;
  readonly sender: string;
  readonly fromMe: boolean;
  readonly stanzaId: StanzaId;
  /** The key that the file is sealed with, in base64. */
  readonly key: string;
}

/** A file that the phone was asked for and has not given yet. */
export interface WaitingFile {
  readonly mediaId: MediaId;
  /** The number of times that the tenant asked for it. */
  readonly round: number;
  readonly stanzaId: string;
  readonly key: string;
}

/** The word of the phone about a file; `unreadable`: it says nothing that its seal fits, and nothing is believed of it. */
export type FileAnswer =
  { readonly answer: 'given'; readonly path: string } | { readonly answer: 'absent' | 'failed' | 'unreadable' };
