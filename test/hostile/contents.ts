import { definitions, messageFields, wrapperFields, type Gives, type Plaintext } from './plaintexts.ts';
import { fillField, type FieldDefinition } from './protoDefinition.ts';
import { conversation, field } from './wire.ts';

/** Fields that devices fill for each other: nobody wrote them, so nobody is told. */
const BETWEEN_DEVICES: readonly string[] = [
  'senderKeyDistributionMessage',
  'fastRatchetKeySenderKeyDistributionMessage',
  'messageContextInfo',
  'stickerSyncRmrMessage',
];

/** The effect of a field by its own name alone: what is in it may be a message, or between devices. */
function givesOf({ name, type }: FieldDefinition): Gives | undefined {
  if (BETWEEN_DEVICES.includes(name)) return 'none';
  return name === 'protocolMessage' || name === 'deviceSentMessage' || type === 'Message.FutureProofMessage'
    ? 'at_most_one'
    : 'one';
}

function plaintextOf(bytes: Buffer, gives: Gives | undefined): Plaintext {
  return { kind: 'field', bytes, isPadded: true, ...(gives === undefined ? {} : { gives }) };
}

const wrap = (wrapper: FieldDefinition, bytes: Buffer): Buffer => field(wrapper.number, field(1, bytes));

/** Each kind of content by itself, and in each wrapper. */
export function everyContent(text: string): readonly Plaintext[] {
  return messageFields.flatMap((definition) => {
    const bytes = fillField(definitions, definition, text);
    const gives = givesOf(definition);
    return [plaintextOf(bytes, gives), ...wrapperFields.map((wrapper) => plaintextOf(wrap(wrapper, bytes), gives))];
  });
}

/** Fewer, for where each takes its time: each kind by itself, and a text and an unknown kind in each wrapper. */
export function contentsAndWrappers(text: string): readonly Plaintext[] {
  const unknown = field(300, Buffer.from(text));
  return [
    ...messageFields.map((each) => plaintextOf(fillField(definitions, each, text), givesOf(each))),
    ...wrapperFields.flatMap((wrapper) =>
      [conversation(text), unknown].map((bytes) => plaintextOf(wrap(wrapper, bytes), 'one')),
    ),
    plaintextOf(unknown, 'one'),
  ];
}
