/** libsignal prints sessions with their private keys to the console: tests say nothing of them. */
export function silenceConsole(): void {
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) console[method] = () => undefined;
}
