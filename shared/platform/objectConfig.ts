import { z } from 'zod';

/** Settings that lead to the objects, which every process has that reads or writes files. */
export const objectSettings = {
  /** The name of the bucket that holds files of messages. Required. */
  HOLDFAST_MEDIA_BUCKET: z.string().regex(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/),
  /** The URL of S3; AWS's own when left out. */
  HOLDFAST_S3_ENDPOINT: z.url().optional(),
} as const;

const schema = z.object(objectSettings);

export interface ObjectConfig {
  readonly mediaBucket: string;
  readonly s3Endpoint: string | undefined;
}

/** The configuration from the settings. */
export function toObjects(value: z.infer<typeof schema>): ObjectConfig {
  return { mediaBucket: value.HOLDFAST_MEDIA_BUCKET, s3Endpoint: value.HOLDFAST_S3_ENDPOINT };
}
