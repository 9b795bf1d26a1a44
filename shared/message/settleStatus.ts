import type { OutboundContent } from '../content/content.ts';
import { AppError, type FieldProblem } from '../kernel/appError.ts';
import { isPerson, isStatus, toRecipient } from '../kernel/jid.ts';
import type { Envelope } from './outboundMessage.ts';
import { statusTypes } from './statusField.ts';
import type { StatusLook } from './statusLook.ts';

/** A status as its row has it: whom it is for, by address, and its look. */
export interface SettledStatus {
  readonly audience: readonly string[];
  readonly look?: StatusLook;
}

/** The parts of a request that a status has no room for, with the reason. */
const notInStatus = {
  context: 'a status answers nothing',
  mentions: 'a status mentions nobody',
  mention_all: 'a status mentions nobody',
  expires_in: 'a status ends by itself, after 24 hours',
} as const satisfies Partial<Record<keyof Envelope, string>>;

/**
 * Settles what a request asks of a status; undefined for one to a chat. An act on a status has its audience from there.
 * The error that refuses the request is returned, as in `settleRequest`. The function is pure.
 * @param own the addresses of the account, as far as they are known
 */
export function settleStatus(
  envelope: Partial<Envelope>,
  content: OutboundContent,
  to: string,
  own: readonly string[],
): SettledStatus | AppError | undefined {
  const { status } = envelope;
  if (!isStatus(to)) {
    return status === undefined
      ? undefined
      : refuse([{ field: 'status', problem: 'is for a status, and `to` is not "status"' }]);
  }
  const problems: FieldProblem[] = Object.entries(notInStatus).flatMap(([field, problem]) =>
    isAsked(envelope[field as keyof typeof notInStatus]) ? [{ field, problem }] : [],
  );
  if (!statusTypes.has(content.type)) {
    problems.push({
      field: 'type',
      problem: `a status is a text, a picture, a film or a voice message, and this is of type ${content.type}`,
    });
  }
  const unfit = problemOfFile(content);
  if (unfit !== undefined) problems.push(unfit);
  if (status === undefined) problems.push({ field: 'status.audience', problem: 'must name the people who may see it' });
  problems.push(...problemsOfLook(status, content));
  const { audience: named = [], background_color: backgroundColor, font } = status ?? {};
  const addresses = named.map((name) => toRecipient(name));
  problems.push(...addresses.flatMap((address, index) => problemOfViewer(address, index)));
  if (problems.length > 0) return refuse(problems);
  const audience = [...new Set(addresses)].filter((address) => address !== undefined && !own.includes(address));
  if (audience.length === 0) {
    return refuse([{ field: 'status.audience', problem: 'names nobody but the account itself, which sees it anyway' }]);
  }
  const look = {
    ...(backgroundColor === undefined ? {} : { backgroundColor: backgroundColor.toLowerCase() }),
    ...(font === undefined ? {} : { font }),
  };
  return { audience: audience as readonly string[], ...(Object.keys(look).length === 0 ? {} : { look }) };
}

/** What a file cannot be in a status, where WhatsApp's clients show it otherwise or not at all. */
function problemOfFile(content: OutboundContent): FieldProblem | undefined {
  if (content.type === 'audio' && content.audio.voice !== true) {
    return { field: 'audio.voice', problem: 'must be true: a sound in a status is a voice message' };
  }
  const { view_once: once } =
    (content as unknown as Readonly<Record<string, { readonly view_once?: boolean }>>)[content.type] ?? {};
  return once === true
    ? { field: `${content.type}.view_once`, problem: 'is not for a status, which ends by itself' }
    : undefined;
}

/** The look is that of a text: WhatsApp's clients show none behind a file. */
function problemsOfLook(status: Envelope['status'], { type }: OutboundContent): readonly FieldProblem[] {
  if (type === 'text' || !statusTypes.has(type)) return [];
  return (['background_color', 'font'] as const).flatMap((name) =>
    status?.[name] === undefined
      ? []
      : [{ field: `status.${name}`, problem: `is the look of a text, and this is of type ${type}: leave it out` }],
  );
}

/** Whether a part of a request asks for anything: clients send some with every message. */
function isAsked(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false && value !== 0;
}

function problemOfViewer(address: string | undefined, index: number): readonly FieldProblem[] {
  if (address !== undefined && isPerson(address)) return [];
  const problem =
    address === undefined
      ? 'must be a phone number in international form, or the address of a person'
      : 'is the address of a group: name the people';
  return [{ field: `status.audience.${index}`, problem }];
}

function refuse(fields: readonly FieldProblem[]): AppError {
  return new AppError('invalid_request', { fields });
}
