/**
 * This module is loaded into each child process of the embedded stack: the files that the process and its own children
 * write are for this user alone, whatever the umask of the shell was. Databases, queues and logs hold texts, QR codes
 * and secrets of webhooks.
 */
process.umask(0o077);
