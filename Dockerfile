# The hall as an image: built from this checkout, run by nobody in particular, writing only into two volumes.
#
#   docker build --tag guildhall .
#   docker compose --file deploy/compose.yml up --detach
#
# docs/deploy.md says what is in it and what was not tested. Pin both images by their digests once you have seen them.

FROM docker.io/library/rust:1.95.0-slim-bookworm AS build
# What C code needs: TLS, the allocator, the tokeniser's regular expressions.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ make cmake \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --locked --release --package guildhall \
    && install -D --mode=0755 target/release/guildhall /out/guildhall \
    && install -d --mode=0700 /out/data /out/keys

# glibc, certificates and time zones; no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="Guildhall" \
      org.opencontainers.image.description="Agents in Telegram: no message is lost, no answer is given twice" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=build /out/guildhall /usr/local/bin/guildhall
COPY --from=build --chown=65532:65532 /out/data /var/lib/guildhall/data
COPY --from=build --chown=65532:65532 /out/keys /var/lib/guildhall/keys
COPY config /etc/guildhall
ENV GUILDHALL_CONFIG=/etc/guildhall/guildhall.toml \
    GUILDHALL_DATA_DIR=/var/lib/guildhall/data \
    GUILDHALL_KEY_FILE=/var/lib/guildhall/keys/master.key \
    GUILDHALL__HALL__AGENTS_DIR=/etc/guildhall/agents
# The keys are a volume of their own, so that no copy of the data holds them.
VOLUME ["/var/lib/guildhall/data", "/var/lib/guildhall/keys"]
WORKDIR /var/lib/guildhall
USER 65532:65532
# The console listens on this machine alone; the check runs beside it.
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s --retries=3 \
    CMD ["/usr/local/bin/guildhall", "status"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/guildhall"]
CMD ["run"]
