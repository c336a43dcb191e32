package repo

import (
	"fmt"
	"slices"
)

// Imports checks the five rules of docs/architecture.md, "Who may import whom". Tests may import what they test with.
func Imports(t *Tree) []Finding {
	var out []Finding
	for _, f := range t.product() {
		for _, p := range f.imports() {
			for _, rule := range []func(dir, importPath string) *Finding{pureImport, apiAndControl, otherWing, nodeAndServer, library} {
				if found := rule(f.Dir(), p); found != nil {
					found.Where = f.Path
					out = append(out, *found)
				}
			}
		}
	}
	return out
}

// What a pure room must not import of the standard library, and why.
var impureStd = map[string]string{
	"context": "has nothing to wait for", "log": "does not log", "log/slog": "does not log",
	"math/rand": "takes randomness as an input", "math/rand/v2": "takes randomness as an input", "crypto/rand": "takes identifiers as an input",
	"net/http": "does no I/O", "os": "does no I/O", "os/exec": "does no I/O", "io/fs": "does no I/O", "syscall": "does no I/O",
	"sync": "starts no goroutines and shares nothing", "sync/atomic": "starts no goroutines and shares nothing",
}

// pureImport is rule 1.
func pureImport(dir, p string) *Finding {
	if !isPure(dir) {
		return nil
	}
	if why, bad := impureStd[p]; bad {
		return &Finding{Rule: "pure", Text: fmt.Sprintf("imports %s, but %s is a pure room: it %s, so that the same input always gives the same output", p, dir, why)}
	}
	target, isOwn := own(p)
	switch {
	case std(p):
		return nil
	case target == "internal/clock":
		return &Finding{Rule: "pure", Text: fmt.Sprintf("imports %s, but %s is a pure room: time is an input, so that the same input always gives the same output", p, dir)}
	case isOwn && (under(target, "wire/shape") || under(target, "internal") || target == "nodeconf" || target == "proxyconf" || (wingOf(target) == wingOf(dir) && isPure(target))):
		return nil
	}
	return &Finding{Rule: "pure", Text: fmt.Sprintf("imports %s, but %s is a pure room: it may import the standard library, wire/shape, nodeconf, internal and pure rooms of its own wing, so that decisions can be read and tested without the rest", p, dir)}
}

// apiAndControl is rule 2.
func apiAndControl(dir, p string) *Finding {
	target, isOwn := own(p)
	switch {
	case !isOwn:
		return nil
	case isAPI(dir) && isControl(target):
		return &Finding{Rule: "api-control", Text: fmt.Sprintf("imports %s: an API writes what is desired and never calls the loops; they meet only in the store, so that any server can answer and any can lead", target)}
	case isControl(dir) && (isAPI(target) || target == "wire"):
		return &Finding{Rule: "api-control", Text: fmt.Sprintf("imports %s: a loop never answers a request; it meets the API only in the store", target)}
	}
	return nil
}

// otherWing is rule 3.
func otherWing(dir, p string) *Finding {
	target, isOwn := own(p)
	if !isOwn || wingOf(dir) == "" || wingOf(target) == "" || wingOf(target) == wingOf(dir) {
		return nil
	}
	return &Finding{Rule: "wings", Text: fmt.Sprintf("imports %s: a wing declares the one to three methods it needs of another in itself, and cmd/berth connects them, so that each wing can be understood and tested alone", target)}
}

// nodeAndServer is rule 4.
func nodeAndServer(dir, p string) *Finding {
	target, isOwn := own(p)
	switch {
	case !isOwn:
		return nil
	case under(dir, nodeRoot) && (isAPI(target) || isControl(target) || isTables(target)):
		return &Finding{Rule: "node", Text: fmt.Sprintf("imports %s: a node shares only session, wire/shape and nodeconf with the server, because it runs on another machine and may be one version apart", target)}
	case !under(dir, nodeRoot) && !underAny(dir, wiringRoots) && under(target, nodeRoot):
		return &Finding{Rule: "node", Text: fmt.Sprintf("imports %s: nothing in the server imports the node; they share session, wire/shape and nodeconf", target)}
	}
	return nil
}

// library is rule 5.
func library(dir, p string) *Finding {
	_, isOwn := own(p)
	if isOwn || std(p) {
		return nil
	}
	o, known := ownerOf(p)
	if !known {
		return &Finding{Rule: "library", Text: fmt.Sprintf("imports %s, which has no owner: a new dependency needs a line in docs/decisions and an owner in test/repo/owners.go, so that it can be replaced", p)}
	}
	if len(o.dirs) == 0 || underAny(dir, o.dirs) {
		return nil
	}
	return &Finding{Rule: "library", Text: fmt.Sprintf("imports %s, which belongs to %v: %s", p, slices.Sorted(slices.Values(o.dirs)), o.why)}
}
