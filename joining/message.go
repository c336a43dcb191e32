package joining

// What machines and servers say to each other, as JSON over TLS. Certificates and keys are DER.

// Paths of the pages. Those of machines are on the TLS endpoint; those of operators are signed by root and also on the plain one.
const (
	JoinPath    = "/_berth/join"     // POST JoinRequest, with a ticket: JoinAnswer
	RenewPath   = "/_berth/renew"    // POST RenewRequest, with a certificate: RenewAnswer
	PassPath    = "/_berth/pass"     // POST nothing, with a node's certificate: Pass
	MembersPath = "/_berth/members"  // POST MemberRequest, with a server's certificate: MemberAnswer
	PlacesPath  = "/_berth/places"   // GET, with a certificate: []Place
	TicketsPath = "/_berth/tickets"  // POST TicketRequest, root: TicketAnswer
	FleetPath   = "/_berth/machines" // GET, root: Fleet; DELETE /ID removes a machine, DELETE /server/NAME a server
	BackupPath  = "/_berth/backup"   // GET, root: the backup
)

// JoinRequest is a machine that has a ticket.
type JoinRequest struct {
	Ticket  string
	Name    string // as the machine calls itself
	Request []byte // a certificate request (PKCS #10): it proves that the machine has the key
	// Certificate is of a node that was off until it ended: with a ticket and the same key it stays who it is. Optional.
	Certificate []byte `json:",omitempty"`
}

// JoinAnswer is what it becomes.
type JoinAnswer struct {
	Machine     string // its id
	Home        Home   // of a node
	Role        Role
	Certificate []byte
	Authority   []byte
	Secrets     *Secrets `json:",omitempty"` // for a server
}

// Secrets are what every server of an installation has.
type Secrets struct {
	Authority    []byte // PEM: the certificate
	AuthorityKey []byte // PEM
	Roots        []Root
	Sealing      []byte `json:",omitempty"` // what records are sealed under; a server of before has none to give
}

// Root is the keys of an account's root.
type Root struct{ Account, AccessKey, SecretKey string }

// RenewRequest asks for the next certificate.
type RenewRequest struct {
	Request []byte // as in JoinRequest
}

// RenewAnswer is it.
type RenewAnswer struct {
	Certificate []byte
}

// MemberRequest is a server that wants to keep the store, too.
type MemberRequest struct {
	Name    string
	Address string // host:port for the other members
}

// MemberAnswer is who they are, addresses by name.
type MemberAnswer struct {
	Members map[string]string
}

// TicketRequest is a ticket that is wanted.
type TicketRequest struct {
	Role    Role
	Account string // of a node; that of the caller otherwise
	Region  string
	Seconds int64 // how long it is good
}

// TicketAnswer is it, and where to go with it.
type TicketAnswer struct {
	Ticket  string
	Servers []string // URLs
}

// Fleet is who is part of the installation.
type Fleet struct {
	Machines []Machine
	Servers  []ServerState
}

// ServerState is a server that keeps the store.
type ServerState struct {
	Name    string
	Peer    string // host:port for the other members
	Address string // host:port for nodes
	Version string
	Voter   bool
	Leader  bool
}
