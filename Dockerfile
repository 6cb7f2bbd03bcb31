# Builds Parley from this tree (web/dist is committed, so no Node is needed) into an image that holds the binary alone.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
# The image's Go is set to itself; go.mod names the release that is needed.
RUN GOTOOLCHAIN=$(sed -n 's/^toolchain //p' go.mod) go mod download
COPY cmd ./cmd
COPY internal ./internal
COPY sfu ./sfu
COPY signaling ./signaling
COPY turn ./turn
COPY web ./web
ARG VERSION=container
RUN CGO_ENABLED=0 GOTOOLCHAIN=$(sed -n 's/^toolchain //p' go.mod) go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /parley ./cmd/parley && mkdir /data

FROM scratch
COPY LICENSE /LICENSE
COPY --from=build /parley /parley
# What outlives the container: invitations and bans. A new volume is made from this folder, with its owner.
COPY --from=build --chown=65532:65532 /data /data
ENV PARLEY_DATA=/data
VOLUME /data
USER 65532:65532
# pages and signaling; media, STUN and TURN; the same over TCP
EXPOSE 8080/tcp 7880/udp 7881/tcp
HEALTHCHECK --interval=10s --timeout=4s --start-period=2s --retries=3 CMD ["/parley", "health"]
ENTRYPOINT ["/parley"]
CMD ["serve"]
