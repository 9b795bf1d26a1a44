import { proto } from '@whiskeysockets/baileys';
import { scan, wireTypes } from '../../../shared/wire/protobufFields.ts';

/**
 * Fields of `Message` that the protocol in Baileys does not have, which stops where WhatsApp's went on. Baileys encodes each
 * message itself, and would leave them out. So they travel on the message object, encoded, under a name of their own, and
 * `Message.encode` is taught once to write them behind all others; a message without them is encoded as before.
 */
const NEWER = Symbol('newer fields');
type WithNewer = proto.IMessage & { readonly [NEWER]?: ReadonlyMap<number, Uint8Array> };

/** The first number that Baileys' protocol has no field for, and the last one of WhatsApp's. */
const FIRST = 115;
const LAST = 131;

/** A message that has a newer field beside its own. @param content the field, encoded */
export function withNewerField(message: proto.IMessage, number: number, content: Uint8Array): proto.IMessage {
  teachEncoder();
  const newer = new Map([...((message as WithNewer)[NEWER] ?? []), [number, content]]);
  return { ...message, [NEWER]: newer } as WithNewer;
}

/** A message from its bytes, with the newer fields in them. Throws where it cannot be decoded. */
export function decodeWithNewer(bytes: Uint8Array): proto.IMessage {
  let message: proto.IMessage = proto.Message.decode(bytes);
  const found: (readonly [number, Uint8Array])[] = [];
  scan(bytes, ({ number, wireType, bytes: content }) => {
    if (number >= FIRST && number <= LAST && wireType === wireTypes.bytes) found.push([number, content]);
  });
  for (const [number, content] of found) message = withNewerField(message, number, content);
  return message;
}

let isTaught = false;

function teachEncoder(): void {
  if (isTaught) return;
  isTaught = true;
  const encode = proto.Message.encode.bind(proto.Message);
  proto.Message.encode = (message, writer) => {
    const written = encode(message, writer);
    for (const [number, content] of (message as WithNewer)[NEWER] ?? []) {
      written.uint32(number * 8 + wireTypes.bytes).bytes(content);
    }
    return written;
  };
}
