import type { z } from 'zod';

/**
 * One kind of content, in a file of its own: what a message of it says, how much of that there may be, and which way it goes.
 * A kind with `out` can be sent, one with `in` is received, one with both goes both ways. Everything that shows or takes
 * contents is made of these rows (`contentKinds`); how a kind is spoken on the wire stands in `worker/socket/wire`.
 */
export type ContentKind<Body> = CommonOfKind<Body> & (OutboundKind<Body> | InboundKind<Body>);

interface CommonOfKind<Body> {
  /** One sentence for the OpenAPI document. */
  readonly description: string;
  readonly example: Body;
  /** WhatsApp's Cloud API has a type of this name. */
  readonly cloud?: true;
  /** The body as it is stored, and shown by the API and in events. */
  readonly shown: z.ZodType<Body>;
}

interface OutboundKind<Body> {
  readonly out: {
    /** The body as a tenant asks for it, with the limits of WhatsApp: strict, and never more than `shown` has. */
    readonly asked: z.ZodType<Body>;
    /** It acts on another message, which the body names as `message_id`, and goes to the chat of that one. */
    readonly acts?: true;
    /** It always answers another message, which the request names as `context`. */
    readonly answers?: true;
    /** It is made of a request that says more, such as the parts of an album: none asks for this body itself. */
    readonly made?: true;
    /** A body that can be asked for, where the kind's own example is one that only arrives. */
    readonly example?: Body;
  };
}

interface InboundKind<Body> {
  readonly in: {
    /**
     * Bounds a body to what a store accepts, and makes it well-formed: a stranger wrote it (`contentBounds`). Must not
     * throw, whatever it is given.
     */
    readonly bound: (body: Body) => Body;
  };
}

/** A kind whatever its body is, for the list of all. */
export interface AnyContentKind extends CommonOfKind<unknown> {
  readonly shown: z.ZodType;
  readonly cloud?: true;
  readonly out?: {
    readonly asked: z.ZodType;
    readonly acts?: true;
    readonly answers?: true;
    readonly made?: true;
    readonly example?: unknown;
  };
  readonly in?: { readonly bound: (body: never) => unknown };
}
