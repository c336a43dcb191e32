package etcd

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
	etcderrors "go.etcd.io/etcd/server/v3/etcdserver/errors"
)

// Peer makes the embedded etcd one member of several. They speak TLS with each other, and only with whom the same authority certified as
// CommonName.
type Peer struct {
	Name    string // of this member, unlike every other's; it may not change
	Listen  string // host:port
	Address string // host:port that the others reach it at; optional, Listen. It may change between two starts

	// PEM files, read again for each connection. The certificate is for the host of Address, for servers and for clients.
	CertFile, KeyFile, CAFile string
	// CommonName is what the certificate of a member says, and of nobody else's.
	CommonName string

	// Members are those that begin a new cluster together, addresses by name, this one among them. Optional: this one alone.
	Members map[string]string
	// Join is asked when DataDir is empty, in place of Members: one of the other members has added this one (Store.AddMember) and answered all
	// of them, addresses by name. Optional.
	Join func(ctx context.Context) (map[string]string, error)
}

func (p *Peer) complete() error {
	if p.Address == "" {
		p.Address = p.Listen
	}
	if !nameRule.MatchString(p.Name) {
		return fmt.Errorf("etcd: Peer.Name %q: 1 to 64 letters, digits, dots, underscores and hyphens", p.Name)
	}
	for field, value := range map[string]string{"Listen": p.Listen, "Address": p.Address} {
		if _, _, err := net.SplitHostPort(value); err != nil {
			return fmt.Errorf("etcd: Peer.%s %q: host:port", field, value)
		}
	}
	if p.CertFile == "" || p.KeyFile == "" || p.CAFile == "" || p.CommonName == "" {
		return errors.New("etcd: Peer: CertFile, KeyFile, CAFile and CommonName are required")
	}
	if p.Members != nil && p.Members[p.Name] == "" {
		return fmt.Errorf("etcd: Peer.Members: %s itself is missing", p.Name)
	}
	return nil
}

func peerURL(address string) url.URL { return url.URL{Scheme: "https", Host: address} }

// configure has an etcd listen for its peers.
func (p *Peer) configure(ec *embed.Config) {
	ec.Name = p.Name
	ec.ListenPeerUrls = []url.URL{peerURL(p.Listen)}
	ec.AdvertisePeerUrls = []url.URL{peerURL(p.Address)}
	ec.PeerTLSInfo = transport.TLSInfo{
		CertFile: p.CertFile, KeyFile: p.KeyFile, TrustedCAFile: p.CAFile, ClientCertAuth: true, AllowedCNs: []string{p.CommonName},
		SkipClientSANVerify: true, // a member may send from another of its addresses; it has proven that it is one
	}
	members := p.Members
	if members == nil {
		members = map[string]string{p.Name: p.Address}
	}
	ec.InitialCluster = initialCluster(members)
	ec.MaxLearners = mostLearners
}

// mostLearners is how many members may join at once.
const mostLearners = 3

func initialCluster(members map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		u := peerURL(members[name])
		all = append(all, name+"="+u.String())
	}
	return strings.Join(all, ",")
}

// join adds this member to a cluster that runs, if it is in none yet.
func (p *Peer) join(ctx context.Context, ec *embed.Config) error {
	if p.Join == nil || begun(ec.Dir) {
		return nil
	}
	members, err := p.Join(ctx)
	if err != nil {
		return fmt.Errorf("etcd: join: %w", err)
	}
	ec.InitialCluster = initialCluster(members)
	ec.ClusterState = embed.ClusterStateFlagExisting
	return nil
}

// begun tells whether a data directory holds a member.
func begun(dir string) bool {
	wals, _ := filepath.Glob(filepath.Join(dir, "member", "wal", "*.wal"))
	return len(wals) > 0
}

// settle makes this member what its configuration says once it runs: known by its present address, and one that votes.
func (b *embedded) settle(ctx context.Context) error {
	if b.conf.Peer == nil {
		return nil
	}
	u := peerURL(b.conf.Peer.Address)
	self := b.server.Cluster().Member(b.server.MemberID())
	if self != nil && !slices.Equal(self.PeerURLs, []string{u.String()}) {
		moved := membership.Member{ID: self.ID, RaftAttributes: membership.RaftAttributes{PeerURLs: []string{u.String()}, IsLearner: self.IsLearner}}
		if err := again(ctx, func() error { _, err := b.server.UpdateMember(ctx, moved); return err }); err != nil {
			return fmt.Errorf("etcd: tell the others the address %s: %w", b.conf.Peer.Address, err)
		}
	}
	if self == nil || !self.IsLearner {
		return nil
	}
	err := again(ctx, func() error {
		_, err := b.server.PromoteMember(ctx, uint64(self.ID))
		if errors.Is(err, membership.ErrMemberNotLearner) {
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("etcd: become a member that votes: %w", err)
	}
	return nil
}

// again calls change until it works. The cluster says no to changes of its members while one is under way, or while too few have been
// connected for a while; nobody says when that is over.
func again(ctx context.Context, change func() error) error {
	for {
		err := change()
		if err == nil || !transient(err) {
			return err
		}
		if !pause(ctx, 100*time.Millisecond) {
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}

func transient(err error) bool {
	for _, e := range []error{
		etcderrors.ErrUnhealthy, etcderrors.ErrNotEnoughStartedMembers, etcderrors.ErrLearnerNotReady, etcderrors.ErrNoLeader, etcderrors.ErrLeaderChanged,
		etcderrors.ErrTimeout, etcderrors.ErrTimeoutDueToLeaderFail, etcderrors.ErrTimeoutDueToConnectionLost, etcderrors.ErrCanceled, membership.ErrTooManyLearners,
	} {
		if is(err, e) {
			return true
		}
	}
	return false
}

// is tells whether err is what; what another member said came as text.
func is(err, what error) bool {
	return err != nil && (errors.Is(err, what) || err.Error() == what.Error())
}

// errRemoved ends a server that the others have removed.
var errRemoved = errors.New("etcd: this server was removed from those that keep the records: it can join them again with a new ticket and an empty data directory")

// stopped says why etcd stopped.
func (b *embedded) stopped(otherwise error) error {
	if all, ok := b.server.Cluster().(*membership.RaftCluster); ok && all.IsIDRemoved(b.server.MemberID()) {
		return errRemoved
	}
	return otherwise
}

// Member is one of the servers that keep the records.
type Member struct {
	Name    string // empty: it was added and has not begun yet
	Address string // host:port for its peers
	Voter   bool   // it counts for a majority
	Leader  bool
}

// ErrNoMembers is answered where the members are not berth's: those of an external etcd.
var ErrNoMembers = errors.New("etcd: the members of an etcd that the servers share are changed by who runs it: etcdctl member")

// ErrUnknownMember is answered for a name that no member has.
var ErrUnknownMember = errors.New("etcd: no member has this name")

type members interface {
	members() []Member
	addMember(ctx context.Context, name, address string) (map[string]string, error)
	removeMember(ctx context.Context, name string) error
	led() bool
}

// Led tells whether the members have a leader that this one knows. Without one, as where most are gone or cannot be reached, nothing is written and
// no read is fresh.
func (s *Store) Led() bool { return s.of == nil || s.of.led() }

func (b *embedded) led() bool { return b.server.Leader() != 0 }

// Members are those that this member knows of.
func (s *Store) Members() ([]Member, error) {
	if s.of == nil {
		return nil, ErrNoMembers
	}
	return s.of.members(), nil
}

// AddMember lets a new member in, and answers all of them, addresses by name, for its Peer.Join. It waits while another change is under
// way. One that was added and never began is replaced; a name that another member has is refused.
func (s *Store) AddMember(ctx context.Context, name, address string) (map[string]string, error) {
	if s.of == nil {
		return nil, ErrNoMembers
	}
	return s.of.addMember(ctx, name, address)
}

// RemoveMember removes a member, which ends: it can only join again with an empty data directory. One that was added and never began has no
// name; its address is taken for it.
func (s *Store) RemoveMember(ctx context.Context, name string) error {
	if s.of == nil {
		return ErrNoMembers
	}
	return s.of.removeMember(ctx, name)
}

func (b *embedded) members() []Member {
	var all []Member
	leader := b.server.Leader()
	for _, m := range b.server.Cluster().Members() {
		one := Member{Name: m.Name, Voter: !m.IsLearner, Leader: m.ID == leader}
		if len(m.PeerURLs) > 0 {
			if u, err := url.Parse(m.PeerURLs[0]); err == nil {
				one.Address = u.Host
			}
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b Member) int { return strings.Compare(a.Name+a.Address, b.Name+b.Address) })
	return all
}

func (b *embedded) addMember(ctx context.Context, name, address string) (map[string]string, error) {
	if b.conf.Peer == nil {
		return nil, errors.New("etcd: this server has no address for others: it is the only one")
	}
	u := peerURL(address)
	for _, m := range b.server.Cluster().Members() {
		switch same := slices.Equal(m.PeerURLs, []string{u.String()}); {
		case m.Name == name:
			return nil, fmt.Errorf("etcd: there is a member %s, at %s: remove it first", name, strings.Join(m.PeerURLs, ", "))
		case same && m.Name != "":
			return nil, fmt.Errorf("etcd: member %s is at %s: remove it first", m.Name, address)
		case same: // it was let in and has not begun: its answer may have been lost
			if err := b.remove(ctx, m.ID); err != nil {
				return nil, err
			}
		}
	}
	if err := b.add(ctx, u); err != nil {
		return nil, fmt.Errorf("etcd: add %s: %w", name, err)
	}
	all := map[string]string{name: address}
	for _, m := range b.members() {
		if m.Name != "" {
			all[m.Name] = m.Address
		}
	}
	return all, nil
}

// add adds a member that does not vote yet. Its id is of its address and the second: one that was removed in this second has used it up.
func (b *embedded) add(ctx context.Context, u url.URL) error {
	now, tried := b.conf.Now(), false
	return again(ctx, func() error {
		for {
			m := membership.NewMemberAsLearner("", types.MustNewURLs([]string{u.String()}), "", &now)
			_, err := b.server.AddMember(ctx, *m)
			switch {
			case is(err, membership.ErrIDRemoved):
				now = now.Add(time.Second)
				continue
			case tried && is(err, membership.ErrIDExists): // what was not answered was done
				return nil
			}
			tried = true
			return err
		}
	})
}

func (b *embedded) removeMember(ctx context.Context, name string) error {
	for _, m := range b.server.Cluster().Members() {
		at := peerURL(name)
		if m.Name == name || m.Name == "" && slices.Equal(m.PeerURLs, []string{at.String()}) {
			return b.remove(ctx, m.ID)
		}
	}
	return fmt.Errorf("%w: %s", ErrUnknownMember, name)
}

func (b *embedded) remove(ctx context.Context, id types.ID) error {
	tried := false
	err := again(ctx, func() error {
		_, err := b.server.RemoveMember(ctx, uint64(id))
		if tried && is(err, membership.ErrIDRemoved) { // what was not answered was done
			return nil
		}
		tried = true
		return err
	})
	if err != nil {
		return fmt.Errorf("etcd: remove a member: %w", err)
	}
	return nil
}

// check reads the files of a peer: etcd itself says little about those that are wrong.
func (p *Peer) check() error {
	data, err := os.ReadFile(p.CertFile)
	if err != nil {
		return fmt.Errorf("etcd: Peer.CertFile: %w", err)
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return fmt.Errorf("etcd: Peer.CertFile %s holds no certificate", p.CertFile)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return fmt.Errorf("etcd: Peer.CertFile %s: %w", p.CertFile, err)
	}
	if cert.Subject.CommonName != p.CommonName {
		return fmt.Errorf("etcd: Peer.CertFile %s is for %q, not for %q", p.CertFile, cert.Subject.CommonName, p.CommonName)
	}
	host, _, _ := net.SplitHostPort(p.Address)
	if err := cert.VerifyHostname(host); err != nil {
		return fmt.Errorf("etcd: Peer.CertFile %s: the others would refuse it at %s: %w", p.CertFile, p.Address, err)
	}
	return nil
}
