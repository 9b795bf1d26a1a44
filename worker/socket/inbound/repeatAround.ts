import type { BinaryNode, makeWASocket } from '@whiskeysockets/baileys';
import { withDeadline } from '../../../shared/kernel/deadline.ts';
import { deadlines } from '../../../shared/kernel/deadlines.ts';
import { isStatus, withoutDevice } from '../../../shared/kernel/jid.ts';
import type { WireMessage } from '../wire/spokenKind.ts';
import type { RepeatRequest } from './repeatRule.ts';

/**
 * Sends a message once more to the device that asked for it, with the parts that stood around it in its stanza. As Baileys
 * does it: what a phone asks for goes to all devices of that chat, what another device asks for to that one alone.
 */
export async function relayAround(
  socket: Pick<ReturnType<typeof makeWASocket>, 'relayMessage'>,
  { chat, requesterDevice, count, id }: RepeatRequest & { readonly id: string },
  { message, attributes = {}, nodes = [] }: WireMessage,
): Promise<void> {
  if (chat === undefined) return;
  const isPhone = withoutDevice(requesterDevice) === requesterDevice || requesterDevice.includes(':0@');
  const around = { additionalAttributes: attributes, additionalNodes: [...nodes] as BinaryNode[] };
  if (isStatus(chat)) {
    // Baileys would send it into the chat with the viewer. A status for this one alone, under its id, is shown as the same.
    const statusJidList = [isPhone ? withoutDevice(requesterDevice) : requesterDevice];
    await withDeadline('repeating a status', deadlines.send.ms, () =>
      socket.relayMessage(chat, message, { messageId: id, ...around, statusJidList }),
    );
    return;
  }
  const reader = isPhone ? { useUserDevicesCache: false } : { participant: { jid: requesterDevice, count } };
  await withDeadline('repeating a message', deadlines.send.ms, () =>
    socket.relayMessage(chat, message, { messageId: id, ...around, ...reader }),
  );
}
