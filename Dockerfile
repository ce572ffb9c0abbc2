# Two images of one build: `sidecar` (no embedded stores, small) and `collector` (everything). Both run as a user without
# a name, on a read-only root: all they write is the data directory and /tmp.
#   docker build --target sidecar -t outrider-sidecar .
#   docker build --target collector -t outrider-collector .
# Debian, not Alpine: the embedded ClickHouse is built for glibc.

FROM node:26-slim AS package
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm pack --pack-destination /tmp \
  && mkdir /package \
  && tar -xzf /tmp/outrider-*.tgz -C /package --strip-components=1

FROM node:26-slim AS sidecar-packages
WORKDIR /opt/outrider
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM node:26-slim AS collector-packages
WORKDIR /opt/outrider
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:26-slim AS base
COPY --from=package --chown=0:0 /package /opt/outrider
RUN install -d -o 10001 -g 10001 -m 0700 /var/lib/outrider
ENV NODE_ENV=production \
    OUTRIDER_CONFIG=/etc/outrider/outrider.yaml \
    OUTRIDER_DATA=/var/lib/outrider
VOLUME /var/lib/outrider
USER 10001:10001
ENTRYPOINT ["node", "--max-semi-space-size=4", "/opt/outrider/bin/outrider.js"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(process.env.OUTRIDER_READY_URL).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]

FROM base AS sidecar
COPY --from=sidecar-packages --chown=0:0 /opt/outrider/node_modules /opt/outrider/node_modules
ENV OUTRIDER_READY_URL=http://127.0.0.1:4321/readyz
EXPOSE 4320 4321
CMD ["sidecar"]

FROM base AS collector
COPY --from=collector-packages --chown=0:0 /opt/outrider/node_modules /opt/outrider/node_modules
ENV OUTRIDER_READY_URL=http://127.0.0.1:4319/readyz
EXPOSE 4317 4318 4319 8123
CMD ["collector"]
