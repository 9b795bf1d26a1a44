import { createHash } from 'node:crypto';
import { toRecipient } from '../kernel/jid.ts';
import { splitMessage, type Envelope, type OutboundMessage } from './outboundMessage.ts';

/**
 * The hash by which two requests are the same: of all their content and options, however they are spelled. The order of
 * fields does not count, nor does it whether a field that only repeats a default is given.
 * @param to the address that the request's `to` stands for; undefined where it has none
 */
export function hashOfRequest(message: OutboundMessage, to: string | undefined): string {
  const { envelope, content } = splitMessage(message);
  const whole = {
    messaging_product: 'whatsapp',
    recipient_type: 'individual',
    ...envelope,
    ...audienceOf(envelope),
    to,
  };
  return createHash('sha256')
    .update(JSON.stringify(inOneOrder([whole, content])))
    .digest('hex');
}

/** An audience is the same people, in whichever order and spelling they are named, and however often. */
function audienceOf({ status }: Partial<Envelope>): Partial<Envelope> {
  if (status === undefined) return {};
  const audience = [...new Set(status.audience.map((name) => toRecipient(name) ?? name))].toSorted();
  return { status: { ...status, audience } };
}

function inOneOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOneOrder);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(fields.map(([name, inner]) => [name, inOneOrder(inner)]));
}
