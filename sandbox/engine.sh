#!/usr/bin/env bash
# Give a Debian machine what the docker backend needs: an engine that answers and the base image.
# Run as root. Safe and quick to run again. Where Docker is there and can pull, nobody needs this.
#
#   sandbox/engine.sh [BASE]    install, start, make the base (default debian:bookworm-slim)
#   sandbox/engine.sh stop      stop the engine, if it is one that this script started
set -euo pipefail

pid_file=/var/run/mftbench-dockerd.pid
log=/var/log/mftbench-dockerd.log
patience_s=30

answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

say() { printf 'engine: %s\n' "$*"; }

install_engine() {
    command -v dockerd >/dev/null && return
    say "installing docker.io"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io iptables >/dev/null
}

# Start dockerd with the options given; fail if it ends or does not answer in time.
try_engine() {
    setsid dockerd "$@" >"$log" 2>&1 </dev/null &
    local pid=$! waited=0
    while ! answers; do
        if ! kill -0 "$pid" 2>/dev/null || ((waited++ >= patience_s * 5)); then
            kill "$pid" 2>/dev/null || true
            wait "$pid" 2>/dev/null || true
            return 1
        fi
        sleep 0.2
    done
    echo "$pid" >"$pid_file"
    say "dockerd started${*:+ with $*} (pid $pid, log $log)"
}

# What a small machine may lack: overlay file systems, then packet filters.
start_engine() {
    answers && return
    if [ -n "${DOCKER_HOST:-}" ]; then
        say "DOCKER_HOST is set to $DOCKER_HOST and does not answer"
        return 1
    fi
    install_engine
    try_engine ||
        try_engine --storage-driver vfs ||
        try_engine --iptables=false --bridge=none ||
        try_engine --iptables=false --bridge=none --storage-driver vfs || {
        tail -n 5 "$log" >&2
        say "dockerd does not start here"
        return 1
    }
}

stop_engine() {
    [ -s "$pid_file" ] || { say "no engine of ours is running"; return; }
    local pid
    pid=$(cat "$pid_file")
    rm -f "$pid_file"
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ] || return 0
    kill "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
    say "dockerd stopped (pid $pid)"
}

make_base() {
    local base=$1 root
    docker image inspect "$base" >/dev/null 2>&1 && return
    docker pull -q "$base" >/dev/null 2>&1 && return
    if [ "$base" != debian:bookworm-slim ]; then
        say "$base cannot be pulled, and only debian:bookworm-slim can be made here"
        return 1
    fi
    say "no registry gives $base: making it by debootstrap"
    command -v debootstrap >/dev/null || {
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
    }
    root=$(mktemp -d)
    debootstrap --variant=minbase bookworm "$root" >"$root.log" 2>&1 || { tail -n 5 "$root.log" >&2; return 1; }
    rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/usr/share/{doc,man,locale,info}/*
    # As in the official slim image: no documentation, and no file of a download is kept.
    printf 'path-exclude /usr/share/%s/*\n' doc man locale info >"$root/etc/dpkg/dpkg.cfg.d/slim"
    printf 'APT::Install-Recommends "false";\nDir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n' \
        >"$root/etc/apt/apt.conf.d/slim"
    echo "deb http://deb.debian.org/debian-security bookworm-security main" >>"$root/etc/apt/sources.list"
    tar -C "$root" -c . | docker import --change 'CMD ["/bin/bash"]' - "$base" >/dev/null
    rm -rf "$root" "$root.log"
}

case "${1:-}" in
stop) stop_engine ;;
*)
    base=${1:-debian:bookworm-slim}
    start_engine
    make_base "$base"
    say "Docker $(docker version --format '{{.Server.Version}}') answers; $base is there"
    ;;
esac
