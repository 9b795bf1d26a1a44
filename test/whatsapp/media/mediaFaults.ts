import { z } from 'zod';

/**
 * What can be made to go wrong with files on the media hosts. Which requests it concerns: of the account `number` (who
 * uploads, or who uploaded what is fetched), at the first or second host, under the name `type`, of the bytes `sha256`.
 */
const concerned = {
  number: z.string().regex(/^\d+$/).optional(),
  times: z.number().int().positive().optional(),
  host: z.union([z.literal(0), z.literal(1)]).optional(),
  type: z.string().optional(),
  /** Hash of what lies there (sealed, where it is sealed), in hex. */
  sha256: z
    .string()
    .regex(/^[\da-f]{64}$/)
    .optional(),
  on: z.enum(['upload', 'download']),
} as const;
const scope = { number: concerned.number, times: concerned.times } as const;

export const mediaFaultSchemas = [
  /** Answers with a status. `location` for a redirect: a link, or `other_host`. */
  z.strictObject({
    ...concerned,
    kind: z.literal('media_refuse'),
    status: z.number().int().min(300).max(599),
    retryAfterSeconds: z.number().int().positive().optional(),
    location: z.string().optional(),
    /** Before an upload was read, which a client may notice as a connection that is lost. */
    early: z.boolean().optional(),
  }),
  /**
   * What becomes of the body. Both ways: `hang` after so many bytes, `cut` the connection, be `slow`. Of downloads: `short`
   * and `long` agree with the length that the answer says, `endless` never ends, `corrupt` has one wrong bit there. Of
   * uploads: `no_link`, a good answer that names no place.
   */
  z.strictObject({
    ...concerned,
    kind: z.literal('media_body'),
    how: z.enum(['hang', 'cut', 'slow', 'short', 'long', 'endless', 'corrupt', 'no_link']),
    /** How much is as it should be before; half of the file by default. A slow body is slow from its beginning. */
    afterBytes: z.number().int().min(0).optional(),
    bytesPerSecond: z.number().int().positive().default(1_024),
  }),
  /** Closes the connection without an answer, as a host that is down. */
  z.strictObject({ ...concerned, on: concerned.on.optional(), kind: z.literal('media_dead') }),
  /** What `media_conn` is answered with: lifetimes in seconds of the answer and of its token, and the hosts. */
  z.strictObject({
    ...scope,
    kind: z.literal('media_conn'),
    ttl: z.number().int().min(0).optional(),
    authTtl: z.number().int().min(0).optional(),
    hosts: z.array(z.string()).optional(),
  }),
  /**
   * How a phone answers who asks it to upload a file again: with a failure, in the form of `form`; with a path that is gone
   * already, or what nobody can open; or not at all.
   */
  z.strictObject({
    ...scope,
    kind: z.literal('upload_again'),
    answer: z.enum(['not_found', 'decryption_error', 'general_error', 'gone_path', 'foreign_seal', 'silence']),
    form: z.enum(['error', 'sealed']).default('error'),
  }),
] as const;

const anyMediaFault = z.discriminatedUnion('kind', [...mediaFaultSchemas]);
export type MediaFault = z.infer<typeof anyMediaFault>;
export type BodyFault = Extract<MediaFault, { kind: 'media_body' }>;

/** A request for a file, as far as faults concern it. */
export interface MediaRequest {
  readonly on: 'upload' | 'download';
  readonly host: number;
  readonly type: string;
  readonly sha256: string;
}

/** Whether a fault is one of this request. */
export function concernsRequest(
  fault: Extract<MediaFault, { kind: 'media_refuse' | 'media_body' | 'media_dead' }>,
  request: MediaRequest,
): boolean {
  return (['on', 'host', 'type', 'sha256'] as const).every(
    (name) => fault[name] === undefined || fault[name] === request[name],
  );
}
