/**
 * Loaded into each child process of the embedded stack: what it and its own children write is for this user alone, whatever
 * the umask of the shell was. Databases, queues and logs hold texts, QR codes and secrets of webhooks.
 */
process.umask(0o077);
