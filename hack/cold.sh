#!/usr/bin/env bash
# The README's two commands on a machine that has nothing but Debian 12, make, Go and root: in a clean root file system with
# namespaces of its own, from a clone of this tree's HEAD.
#
#   hack/cold.sh [up|test]    default: up
#
# It needs debootstrap and about 6 GB below COLD_DIR (default /var/tmp). What it made is removed at the end.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-up}
command -v debootstrap >/dev/null || { echo "cold: install debootstrap first (apt-get install debootstrap)" >&2; exit 1; }
root=$(mktemp -d "${COLD_DIR:-/var/tmp}/berth-cold-XXXXXX")

remove() {
	# The mounts live in a namespace that ended with its last process; nothing of the machine is mounted here any more.
	rm -rf --one-file-system "$root"
}
trap remove EXIT

echo "cold: Debian 12 in $root"
debootstrap --variant=minbase --include=make,ca-certificates bookworm "$root" >"$root.log" 2>&1 || { tail "$root.log"; exit 1; }
rm -f "$root.log"
cp -a "$(go env GOROOT)" "$root/usr/local/go"
# What this machine needs to reach the package registries: resolver, mirrors, certificates.
for f in /etc/ssl/certs/ca-certificates.crt /etc/resolv.conf /etc/hosts /etc/apt/sources.list /etc/apt/apt.conf.d /etc/pip.conf; do
	if [ -e "$f" ]; then
		mkdir -p "$root$(dirname "$f")"
		cp -rL "$f" "$root$(dirname "$f")/"
	fi
done
git clone -q . "$root/root/berth"

# A network namespace would have no way to the package registries, so the machine's is used: names and ports must be free, or others be
# chosen with BERTH_NAME, BERTH_LISTEN, BERTH_BRIDGE_SUBNET, BERTH_INTROSPECTION.
inside='
set -euo pipefail
export HOME=/root PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
cd /root/berth
case $1 in
up)
	trap "make down" EXIT
	time make up
	time make up
	bin/berth status
	;;
test) time make test ;;
esac
'
unshare --mount --pid --fork --propagation private bash -euo pipefail -c '
root=$1
mount --bind "$root" "$root" # runc wants a root that is a mount
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
mkdir -p "$root/run/lock"
mapfile -t settings < <(env | grep ^BERTH_)
cd "$root"
mkdir -p mnt/machine
pivot_root . mnt/machine
umount -l /mnt/machine
exec /usr/bin/env -i "${settings[@]}" GOPROXY="$2" GOSUMDB="$3" GOFLAGS="$4" bash -c "$5" cold "$6"
' cold "$root" "$(go env GOPROXY)" "$(go env GOSUMDB)" "$(go env GOFLAGS)" "$inside" "$what"
echo "cold: make $what works on a bare machine"
