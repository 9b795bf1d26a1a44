/**
 * Ends a command whose output nobody reads any more, as of `… | head -3`: without a word, and as one that did what was asked. Any other trouble
 * with the output is thrown.
 */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
}
