/** The floor of `bench:streams`: a server of Node's that sends a beat each 15 seconds to whoever connects, and knows nothing of anybody. */
import { createServer } from 'node:http';

const BEAT_MS = 15_000;

const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write('id: 1\n\n');
  const timer = setInterval(() => response.write(': beat\nid: 1\n\n'), BEAT_MS);
  response.once('close', () => clearInterval(timer));
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  process.stdout.write(`${JSON.stringify({ ready: true, port })}\n`);
});
