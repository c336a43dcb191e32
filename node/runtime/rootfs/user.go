package rootfs

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/berth-ecs/berth/node/runtime/spec"
)

// User resolves a container's user ("", uid, name, each with ":gid" or ":group")
// as Docker does: a number need not be in the image's files, a name must be.
func (l Layers) User(user string) (spec.User, error) {
	name, group, hasGroup := strings.Cut(user, ":")
	passwd, err := l.table("/etc/passwd")
	if err != nil {
		return spec.User{}, err
	}
	groups, err := l.table("/etc/group")
	if err != nil {
		return spec.User{}, err
	}
	u, login, err := account(name, passwd)
	if err != nil {
		return spec.User{}, err
	}
	if hasGroup && group != "" {
		if u.GID, err = groupID(group, groups); err != nil {
			return spec.User{}, err
		}
		return u, nil // a group that is given drops the supplementary ones
	}
	u.Groups = supplementary(login, u.GID, groups)
	return u, nil
}

// account finds name, which may be a number, and answers its login name if it has one.
func account(name string, passwd [][]string) (u spec.User, login string, err error) {
	if name == "" {
		name = "0"
	}
	uid, numErr := id(name)
	for _, f := range passwd { // name:password:uid:gid:...
		if len(f) < 4 || (f[0] != name && (numErr != nil || f[2] != strconv.FormatUint(uint64(uid), 10))) {
			continue
		}
		if u.UID, err = id(f[2]); err != nil {
			return u, "", fmt.Errorf("user %q: /etc/passwd of the image: %w", name, err)
		}
		if u.GID, err = id(f[3]); err != nil {
			return u, "", fmt.Errorf("user %q: /etc/passwd of the image: %w", name, err)
		}
		return u, f[0], nil
	}
	if name == "root" {
		return u, "", nil
	}
	if numErr != nil {
		return u, "", fmt.Errorf("unable to find user %s: no matching entries in the image's passwd file", name)
	}
	return spec.User{UID: uid}, "", nil
}

func groupID(group string, groups [][]string) (uint32, error) {
	for _, f := range groups { // name:password:gid:members
		if len(f) >= 3 && f[0] == group {
			return id(f[2])
		}
	}
	gid, err := id(group)
	if err != nil {
		return 0, fmt.Errorf("unable to find group %s: no matching entries in the image's group file", group)
	}
	return gid, nil
}

func supplementary(login string, primary uint32, groups [][]string) []uint32 {
	var out []uint32
	if login == "" {
		return nil
	}
	for _, f := range groups {
		if len(f) < 4 || !slices.Contains(strings.Split(f[3], ","), login) {
			continue
		}
		if gid, err := id(f[2]); err == nil && gid != primary && !slices.Contains(out, gid) {
			out = append(out, gid)
		}
	}
	slices.Sort(out)
	return out
}

// table reads a colon-separated file; one that is missing is empty.
func (l Layers) table(path string) ([][]string, error) {
	text, err := l.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out [][]string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line != "" && line[0] != '#' {
			out = append(out, strings.Split(line, ":"))
		}
	}
	return out, nil
}

// id is a number a Linux user or group may have.
func id(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number from 0 to 2147483647", s)
	}
	return uint32(n), nil
}
