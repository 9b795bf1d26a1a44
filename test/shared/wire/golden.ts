import { proto } from '@whiskeysockets/baileys';
import { boundContent } from '../../../shared/content/content.ts';
import { wrappers } from '../../../shared/wire/messageFields.ts';
import { scan } from '../../../shared/wire/protobufFields.ts';
import { toContent, type ToldContent } from '../../../shared/wire/content.ts';

/** A kind as it stands on the wire, and what is told of it. */
export type Golden = readonly [what: string, message: proto.IMessage | Uint8Array, told: object];

/** What is told of a message, as it leaves the worker. */
export function toldOf(message: proto.IMessage | Uint8Array): ToldContent | undefined {
  const bytes = message instanceof Uint8Array ? message : proto.Message.encode(message).finish();
  const told = toContent(bytes);
  return told === undefined ? undefined : { ...told, content: boundContent(told.content) };
}

/** The numbers of the fields in a message, and in what wraps it. */
export function numbersIn(message: proto.IMessage | Uint8Array): readonly number[] {
  const bytes = message instanceof Uint8Array ? message : proto.Message.encode(message).finish();
  const numbers: number[] = [];
  scan(bytes, ({ number, bytes: content }) => {
    const wrapper = wrappers.get(number);
    const inner = wrapper === undefined ? [] : fieldsOf(content, wrapper.inner);
    numbers.push(number, ...inner.flatMap(numbersIn));
  });
  return numbers;
}

function fieldsOf(bytes: Uint8Array, wanted: number): readonly Uint8Array[] {
  const found: Uint8Array[] = [];
  scan(bytes, ({ number, bytes: content }) => {
    if (number === wanted) found.push(content);
  });
  return found;
}

/** A field of bytes as it stands on the wire. */
export function field(number: number, content: Uint8Array | string = ''): Buffer {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([toNumber(number * 8 + 2), toNumber(bytes.length), bytes]);
}

/** A field with a number. */
export const numberField = (number: number, value: number): Buffer =>
  Buffer.concat([toNumber(number * 8), toNumber(value)]);

function toNumber(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...bytes, left]);
    bytes.push((left % 128) + 128);
  }
}
