/** A store for the bench of calls, in a process of its own: it answers each request at once, with what was set for it. */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { answerParent } from './childTalk.ts';

export type CallsServerAnswers = typeof answers;

const HEAD_END = '\r\n\r\n';

const answers = {
  /** Listens on a free port and returns it. @param bodies by the header `x-amz-target` */
  begin: (bodies: Readonly<Record<string, string>>): Promise<number> => {
    const whole = new Map(Object.entries(bodies).map(([target, body]) => [target, toAnswer(body)]));
    const server = createServer({ noDelay: true }, (socket) => serve(socket, whole));
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    });
  },
};
answerParent(answers);

function serve(socket: Socket, whole: ReadonlyMap<string, string>): void {
  let unread = '';
  socket.on('error', () => undefined);
  socket.on('data', (bytes) => {
    unread += bytes.toString('latin1');
    for (;;) {
      const end = unread.indexOf(HEAD_END);
      if (end < 0) return;
      const head = unread.slice(0, end);
      const bytesInAll = end + HEAD_END.length + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
      if (unread.length < bytesInAll) return;
      unread = unread.slice(bytesInAll);
      socket.write(whole.get(/^x-amz-target: *(\S+)/im.exec(head)?.[1] ?? '') ?? toAnswer('{}'));
    }
  });
}

/** The answer as AWS sends it. */
function toAnswer(body: string): string {
  const lines = [
    'HTTP/1.1 200 OK',
    'Server: Server',
    'Date: Sun, 01 Feb 2026 10:00:00 GMT',
    'Content-Type: application/x-amz-json-1.0',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: keep-alive',
    'x-amzn-RequestId: 4KBNVRGD25RG1KEO9UT4V3FQDJVV4KQNSO5AEMVJF66Q9ASUAAJG',
    'x-amz-crc32: 2745614147',
  ];
  return `${lines.join('\r\n')}${HEAD_END}${body}`;
}
