# The worker: one Node process that holds WhatsApp sockets. The functions are bundles, see infra/constructs/bundle.ts.
#
#   node scripts/workerImage.ts --out image
#   docker buildx build --platform linux/arm64 -t holdfast-worker image
#   docker run --read-only --env-file worker.env holdfast-worker
#
# What it copies is built before, by scripts/workerImage.ts, for here and for CDK alike. Nothing in it is native (a test
# checks that) and nothing runs while it is built, so any processor builds it, without a registry of packages.
# The version is the one that package.json gives to every other place where this code runs.
ARG NODE_VERSION=24.21.0
FROM node:${NODE_VERSION}-slim
ENV NODE_ENV=production
WORKDIR /app
# Owned by root and read by `node`, whatever the rights of the files were where they come from: the process can change nothing
# that it runs, and it writes no file at all.
COPY --chmod=755 app /app
USER node
# Whether its event loop turns; whether it can work is its heartbeat in the Fleet table, which others watch. With Node, as
# there is nothing else to ask with. ECS does not read this line: the task definition says the same (a test compares them).
ENV HOLDFAST_STATUS_PORT=8081
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s --retries=3 CMD ["node", "worker/status/askHealth.mjs", "8081"]
STOPSIGNAL SIGTERM
# Without a shell: node is process 1 and gets SIGTERM itself. Its flags are those of shared/platform/workerNodeFlags.ts.
CMD ["node", "--max-semi-space-size=4", "--no-parallel-scavenge", "--liftoff-only", "--enable-source-maps", "worker/main.mjs"]
