/** The simulator as a process of its own: `node test/whatsapp/main.ts --port 0 --control-port 0 --state-dir DIR`. */
import { parseArgs } from 'node:util';
import { startWhatsApp } from './simulator.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    'control-port': { type: 'string', default: '0' },
    'state-dir': { type: 'string' },
  },
});

// libsignal prints sessions with their private keys; a sandbox prints none either.
for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) console[method] = () => undefined;

try {
  const simulator = await startWhatsApp({
    port: Number(values.port),
    controlPort: Number(values['control-port']),
    ...(values['state-dir'] === undefined ? {} : { stateDir: values['state-dir'] }),
  });
  const { webSocketUrl, controlUrl, rootKey } = simulator;
  process.stdout.write(`${JSON.stringify({ ready: true, webSocketUrl, controlUrl, rootKey })}\n`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void simulator.stop().then(() => process.exit(0)));
  }
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  process.stderr.write(code === 'EADDRINUSE' ? `The simulator's port is taken: ${message}\n` : `${message}\n`);
  process.exit(1);
}
