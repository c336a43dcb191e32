package registry

import (
	"fmt"
	"regexp"
	"strings"
)

// Partition is the ARN partition of every resource.
const Partition = "aws"

// MaxManifest is how large a manifest may be.
const MaxManifest = 4 << 20

var (
	nameRule   = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
	tagRule    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,299}$`)
	digestRule = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	hostRule   = regexp.MustCompile(`^([0-9]{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)$`)
)

// ValidName says whether a repository can have a name.
func ValidName(name string) bool {
	return len(name) >= 2 && len(name) <= 256 && nameRule.MatchString(name)
}

// ValidTag says whether an image can have a tag.
func ValidTag(tag string) bool { return tagRule.MatchString(tag) }

// ValidDigest says whether it is the digest of an image or a layer.
func ValidDigest(digest string) bool { return digestRule.MatchString(digest) }

// Host is the name under which images of the registry are known: what stands before the repository's in an image's name.
func (h Home) Host() string { return h.Account + ".dkr.ecr." + h.Region + ".amazonaws.com" }

// ParseHost reads the home from the name of a registry.
func ParseHost(host string) (Home, bool) {
	m := hostRule.FindStringSubmatch(host)
	if m == nil {
		return Home{}, false
	}
	return Home{Account: m[1], Region: m[2]}, true
}

// URI is the repository's name as a task definition has it.
func (r *Repository) URI() string { return r.Host() + "/" + r.Name }

// ARN names the repository.
func (r *Repository) ARN() string { return r.RepositoryARN(r.Name) }

// RepositoryARN names a repository.
func (h Home) RepositoryARN(name string) string {
	return fmt.Sprintf("arn:%s:ecr:%s:%s:repository/%s", Partition, h.Region, h.Account, name)
}

// ParseRepositoryARN reads the ARN of a repository.
func ParseRepositoryARN(arn string) (h Home, name string, ok bool) {
	f := strings.SplitN(arn, ":", 6)
	if len(f) != 6 || f[0] != "arn" || f[2] != "ecr" {
		return Home{}, "", false
	}
	name, ok = strings.CutPrefix(f[5], "repository/")
	if !ok || !ValidName(name) || f[3] == "" || f[4] == "" || strings.Contains(f[3]+f[4], "/") {
		return Home{}, "", false
	}
	return Home{Account: f[4], Region: f[3]}, name, true
}
