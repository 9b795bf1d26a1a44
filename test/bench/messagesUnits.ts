/** What AWS would bill for one call, read off the request and the answer as they went over the wire. */
export interface CallUnits {
  readonly writeUnits: number;
  readonly readUnits: number;
  /** Requests to SQS as billed: each 64 KB of payload is one. */
  readonly queueRequests: number;
}

type Body = Readonly<Record<string, unknown>>;
const record = (value: unknown): Body => (typeof value === 'object' && value !== null ? (value as Body) : {});
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const list = (value: unknown): readonly Body[] => (Array.isArray(value) ? value.map(record) : []);

const QUEUE_UNIT_BYTES = 65_536;
const WRITES = new Set([
  'PutItem',
  'UpdateItem',
  'DeleteItem',
  'BatchWriteItem',
  'BatchExecuteStatement',
  'TransactWriteItems',
]);
const NOTHING: CallUnits = { writeUnits: 0, readUnits: 0, queueRequests: 0 };

/**
 * The units of a call. DynamoDB says them itself when it is asked (`ReturnConsumedCapacity`), transactions twice and
 * indexes included; of a call whose condition failed it says nothing, and bills it: here at the least, one unit a write.
 * @param target header `x-amz-target` @param answer undefined when it was no JSON
 */
export function unitsOf(target: string, request: unknown, answer: unknown, status: number): CallUnits {
  const [service = '', operation = ''] = target.split('.');
  if (service === 'AmazonSQS')
    return { ...NOTHING, queueRequests: queueUnits(operation, record(request), record(answer)) };
  if (!service.startsWith('DynamoDB')) return NOTHING;
  const isWrite = WRITES.has(operation);
  const units = status === 200 ? consumed(record(answer)) : refused(operation, record(request), isWrite);
  return isWrite ? { ...NOTHING, writeUnits: units } : { ...NOTHING, readUnits: units };
}

/** Capacity that an answer names: one table of its own, or one entry for each table. */
function consumed(answer: Body): number {
  const named = answer['ConsumedCapacity'];
  const entries = Array.isArray(named) ? list(named) : [record(named)];
  return entries.reduce((sum, entry) => sum + Number(entry['CapacityUnits'] ?? 0), 0);
}

function refused(operation: string, request: Body, isWrite: boolean): number {
  if (operation === 'TransactWriteItems') return 2 * list(request['TransactItems']).length;
  return isWrite ? 1 : 0;
}

function queueUnits(operation: string, request: Body, answer: Body): number {
  const bytes = operation.startsWith('SendMessage')
    ? messagesOf(request, 'Entries', 'MessageBody')
    : operation === 'ReceiveMessage'
      ? messagesOf(answer, 'Messages', 'Body')
      : 0;
  return Math.max(1, Math.ceil(bytes / QUEUE_UNIT_BYTES));
}

/** Bytes of the messages that a request or an answer carries: bodies and attributes. */
function messagesOf(body: Body, entries: string, content: string): number {
  const messages = Array.isArray(body[entries]) ? list(body[entries]) : [body];
  return messages.reduce((sum, message) => {
    const attributes = Object.entries(record(message['MessageAttributes']));
    const attributeBytes = attributes.reduce(
      (total, [name, value]) =>
        total +
        Buffer.byteLength(name) +
        Buffer.byteLength(text(record(value)['DataType'])) +
        Buffer.byteLength(text(record(value)['StringValue'])),
      0,
    );
    return sum + Buffer.byteLength(text(message[content])) + attributeBytes;
  }, 0);
}
