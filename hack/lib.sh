# Functions of hack/install.sh: steps that can be seen, failures that name their step.
# shellcheck shell=bash

began=$SECONDS
current=""
shown=""

# step names what is done next. It is printed when something of it takes time (watch_run) or fails.
step() { current=$1; shown=""; }

fail() {
	printf 'install: step "%s" failed\n  %s\n' "$current" "$1" >&2
	exit 1
}

finish() {
	if [ -n "$worked" ]; then
		printf '%s after %d s\n' "$1" $((SECONDS - began))
	fi
}
worked=""

# watch_run runs a command without its output, says every 15 seconds that it still runs, and shows the end of its output
# when it fails.
watch_run() {
	if [ -z "$shown" ]; then
		printf 'install   %s\n' "$current"
		shown=yes
	fi
	worked=yes
	local log pid start=$SECONDS next=15 status=0
	log=$(mktemp)
	"$@" >"$log" 2>&1 &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.2
		if [ $((SECONDS - start)) -ge "$next" ]; then
			printf '          ... %d s\n' $((SECONDS - start))
			next=$((next + 15))
		fi
	done
	wait "$pid" || status=$?
	if [ "$status" -ne 0 ]; then
		printf '%s\n' "--- the end of what \"$*\" said:" >&2
		tail -n 20 "$log" >&2
	fi
	rm -f "$log"
	return "$status"
}

need_root() {
	[ "$(id -u)" -eq 0 ] || fail "this step needs root: run it as root (sudo make up)"
}

need_writable() { # directory
	mkdir -p "$1" 2>/dev/null && [ -w "$1" ] ||
		fail "$1 cannot be written: run as root, or choose another directory with BERTH_BIN_DIR"
}

missing_packages() { # packages -> those that are not installed
	local p missing=""
	for p in "$@"; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
	done
	printf '%s' "${missing# }"
}

# version_of prints the release a program reports, without a build suffix; nothing when it is a pre-release.
version_of() { # path
	local flag=--version
	[ "$(basename "$1")" = containerd-shim-runc-v2 ] && flag=-v
	"$1" $flag 2>/dev/null | grep -oE '[0-9]+\.[0-9]+\.[0-9]+(-[a-z0-9.]+)?' | head -n 1 | grep -v -- - || true
}

new_enough() { # path minimum
	local version
	version=$(version_of "$1")
	[ -n "$version" ] && [ "$(printf '%s\n%s\n' "$2" "$version" | sort -V | head -n 1)" = "$2" ]
}

# have is true when the program is in our directory and new enough; the system's is linked there when that is.
have() { # name minimum
	if [ -x "$bin/$1" ] && new_enough "$bin/$1" "$2"; then
		return 0
	fi
	local system
	system=$(command -v "$1" || true)
	if [ -n "$system" ] && [ "$system" != "$bin/$1" ] && new_enough "$system" "$2"; then
		step "$1 from the machine ($system)"
		need_writable "$bin"
		ln -sf "$system" "$bin/$1"
		return 0
	fi
	return 1
}

# go_install builds one program and moves it into place whole, so that a running one is not disturbed.
go_install() { # [flags] package@version
	need_writable "$bin"
	local fresh
	fresh=$(mktemp -d "$bin/.build-XXXXXX")
	if ! GOFLAGS='' GOBIN=$fresh watch_run go install -trimpath -ldflags '-s -w' "$@"; then
		rm -rf "$fresh"
		fail "go install failed: check the network (GOPROXY is $(go env GOPROXY)) and that gcc works, then run this again"
	fi
	mv -f "$fresh"/* "$bin/"
	rm -rf "$fresh"
}
