/** The simulator as a process of its own: `node test/whatsapp/main.ts --port 0 --control-port 0 --state-dir DIR`. */
import { parseArgs } from 'node:util';
import { takeKeysAsObjects } from '../../worker/socket/repairs/secretKeys.ts';
import { startWhatsApp, type SimulatorOptions } from './simulator.ts';

// libsignal prints sessions with their private keys; a sandbox prints none either.
for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) console[method] = () => undefined;

// Phones use libsignal, whose every key costs two caught errors otherwise. No client of somebody else's is in this process.
takeKeysAsObjects();

try {
  const simulator = await startWhatsApp(readOptions());
  const { webSocketUrl, controlUrl, rootKey, mediaHosts } = simulator;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void simulator.stop().then(() => process.exit(0), fail));
  }
  process.stdout.write(`${JSON.stringify({ ready: true, webSocketUrl, controlUrl, rootKey, mediaHosts })}\n`);
} catch (error) {
  fail(error);
}

/** Throws a sentence when an option is unknown or a port is none. */
function readOptions(): SimulatorOptions {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      'control-port': { type: 'string', default: '0' },
      'state-dir': { type: 'string' },
      'gives-keys': { type: 'boolean', default: false },
    },
  });
  const stateDir = values['state-dir'];
  return {
    port: toPort('--port', values.port),
    controlPort: toPort('--control-port', values['control-port']),
    givesKeys: values['gives-keys'],
    ...(stateDir === undefined ? {} : { stateDir }),
  };
}

function toPort(option: string, value: string): number {
  const port = Number(value);
  if (!/^\d+$/.test(value) || port > 65_535)
    throw new Error(`${option} must be a number from 0 to 65535, not "${value}".`);
  return port;
}

function fail(error: unknown): never {
  const { code, message } = error as NodeJS.ErrnoException;
  const line = code === 'EADDRINUSE' ? `The simulator's port is taken: ${message}` : message;
  process.stderr.write(`${line.replaceAll('\n', ' ')}\n`);
  process.exit(1);
}
