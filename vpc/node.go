package vpc

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"time"
)

// Node is a machine that runs tasks, as the wing that knows it tells it. EC2's clients see it as an instance.
type Node struct {
	Home
	Instance     string // "i-..."
	Zone         string // name
	Address      netip.Addr
	Connected    bool // its agent is
	Type         string
	Architecture string // x86_64 or arm64
	CPUs         int
	MemoryMiB    int64
	JoinedAt     time.Time
	Tags         []Pair // in order of Key
}

// TypeName is the node's instance type: the one it says it is of, or one that says how large it is.
func (n *Node) TypeName() string {
	return cmp.Or(n.Type, fmt.Sprintf("berth.%dx%d", n.CPUs, max(1, (n.MemoryMiB+512)/1024)))
}

// Interface is the node's primary interface, as it is shown: it is no record, and nothing can be done to it but look. The subnet is the one
// that its zone's instances are shown in.
func (n *Node) Interface(s *Subnet, group string) *Interface {
	sum := sha256.Sum256([]byte(n.Instance))
	digits := hex.EncodeToString(sum[:])
	i := &Interface{
		Home: n.Home, ID: KindInterface.NewID(digits), Zone: n.Zone, Type: "interface", Description: "Primary network interface", SourceCheck: true,
		Instance: n.Instance, Attachment: KindAttachment.NewID(digits), Owner: n.Instance, DeleteOnEnd: true, AttachedAt: n.JoinedAt, CreatedAt: n.JoinedAt,
		MAC: "0a:" + digits[:2] + ":" + digits[2:4] + ":" + digits[4:6] + ":" + digits[6:8] + ":" + digits[8:10],
	}
	if s != nil {
		i.VPC, i.Subnet = s.VPC, s.ID
	}
	if group != "" {
		i.Groups = []string{group}
	}
	if n.Address.IsValid() {
		i.Private = []Private{{Addr: n.Address}}
	}
	return i
}
