/**
 * The size of a task that serves streams. With half a core and 1 GB a process holds 10,000 streams on which nothing happens
 * (docs/performance.md); how many events it tells in a second is what its CPU is for.
 */
export const STREAM_CPU = 512;
export const STREAM_MEMORY_MIB = 1_024;
/** The port at which a task serves streams, behind its load balancer. */
export const STREAM_PORT = 8_080;
