/**
 * This module is loaded into each child process of the embedded stack: when the channel to the supervisor breaks
 * because the supervisor was killed, the child ends too. A supervisor that stops in order stops its children first, and
 * then this does nothing.
 */
if (process.channel !== undefined) {
  process.on('disconnect', () => process.exit(1));
  process.channel?.unref();
}
