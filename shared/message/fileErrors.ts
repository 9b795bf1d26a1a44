import { uploadFaults, type UploadFault } from '../media/uploadFaults.ts';

/** The code with which a message fails because of its file. */
export type FileErrorCode = 'file_not_fetched' | `file_${UploadFault}`;

/** The reasons why a message failed because of its file, each with one sentence that says what to do. */
export const fileErrors = {
  file_not_fetched:
    'The file of the message could not be fetched, from its link or from WhatsApp. GET /v1/media/{id}/info says why.',
  ...Object.fromEntries(Object.entries(uploadFaults).map(([fault, sentence]) => [`file_${fault}`, sentence])),
} as Readonly<Record<FileErrorCode, string>>;
