package installation

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// octets is where test processes of this machine say which networks are theirs.
var octets = filepath.Join(os.TempDir(), "berth-test-networks")

// claim finds a third octet for the networks of an installation, 10.213.N.0/24 and 198.19.N.0/24, that neither another test's
// installation nor a route of this machine has. It is claimed until this process ends.
func claim() (byte, error) {
	if err := os.MkdirAll(octets, 0o700); err != nil {
		return 0, err
	}
	routes, err := os.ReadFile("/proc/net/route")
	if err != nil {
		return 0, err
	}
	for _, n := range rand.Perm(256) {
		octet := byte(n)
		if routed(string(routes), octet) {
			continue
		}
		ok, err := lock(filepath.Join(octets, strconv.Itoa(n)))
		if err != nil || ok {
			return octet, err
		}
	}
	return 0, errors.New("every network of tests is in use")
}

// routed says whether a route of /proc/net/route leads to a network of that octet. Its addresses have their bytes in reverse.
func routed(routes string, octet byte) bool {
	for _, network := range [][]byte{{0, octet, 213, 10}, {0, octet, 19, 198}} {
		if strings.Contains(routes, "\t"+strings.ToUpper(hex.EncodeToString(network))+"\t") {
			return true
		}
	}
	return false
}

// lock takes a file's lock, which this process has until it ends.
func lock(path string) (bool, error) {
	fd, err := unix.Open(path, unix.O_CREAT|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	err = unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return true, nil
	}
	_ = unix.Close(fd)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	return false, fmt.Errorf("%s: %w", path, err)
}
