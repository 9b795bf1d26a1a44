/** A part of an upload: parts have numbers from 1 on. */
export interface UploadedPart {
  readonly number: number;
  readonly bytes: number;
  readonly tag: string;
}

/**
 * Uploads of objects by somebody else, who is given an address for the whole or one for each part. Each has its exact size in
 * its signature, so no more can be stored than was asked for.
 */
export interface ObjectUploads {
  readonly addressOf: (key: string, bytes: number, endsAfterSeconds: number) => Promise<string>;
  /** Begins an upload in parts; its id. What is not completed in a day is removed. */
  readonly begin: (key: string) => Promise<string>;
  readonly addressOfPart: (
    key: string,
    uploadId: string,
    part: Pick<UploadedPart, 'number' | 'bytes'>,
    endsAfterSeconds: number,
  ) => Promise<string>;
  /** The parts that have come; undefined when there is no such upload, because it was completed or removed. */
  readonly listParts: (key: string, uploadId: string) => Promise<readonly UploadedPart[] | undefined>;
  /** Makes an object of the parts. It is done again without harm, and does nothing where there is no such upload. */
  readonly complete: (key: string, uploadId: string, parts: readonly UploadedPart[]) => Promise<void>;
  /** Makes an object of another one, which stays. It is none that could be written meanwhile: the copy has one state of it. */
  readonly copy: (from: string, to: string) => Promise<'copied' | 'missing'>;
  /** Removes an object. It is none of its business whether there was one. */
  readonly remove: (key: string) => Promise<void>;
  /** The size of an object, in bytes; undefined when there is none. */
  readonly sizeOf: (key: string) => Promise<number | undefined>;
}
