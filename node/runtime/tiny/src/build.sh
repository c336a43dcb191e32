#!/bin/sh
# Makes the programs that are embedded, one directory up or in the directory that is named. The same compiler makes the same
# bytes: Debian 12's gcc, and its gcc-aarch64-linux-gnu for the other architecture.
set -eu
cd "$(dirname "$0")"
to=${1:-..}
flags="-std=c11 -Wall -Wextra -Werror -Os -ffreestanding -fno-builtin -fno-stack-protector -fno-asynchronous-unwind-tables
 -fno-ident -fno-pie -static -nostdlib -no-pie -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,noseparate-code -Wl,-n -s"
for pair in amd64:gcc arm64:aarch64-linux-gnu-gcc; do
	cc=${pair#*:}
	command -v "$cc" >/dev/null || { echo "tiny: no $cc, so none for ${pair%:*}" >&2; continue; }
	# shellcheck disable=SC2086
	"$cc" $flags -o "$to/tiny-${pair%:*}" tiny.c
done
