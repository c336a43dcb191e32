package joining

import (
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Role is what a ticket lets a machine be.
type Role string

// The roles.
const (
	Server Role = "server"
	Node   Role = "node"
)

// ParseRole reads a role.
func ParseRole(text string) (Role, error) {
	if r := Role(text); r == Server || r == Node {
		return r, nil
	}
	return "", fmt.Errorf("role %q is neither server nor node", text)
}

// Sizes of a ticket's parts.
const (
	idBytes     = 10
	secretBytes = 20
)

// Ticket is what a machine shows to be let in.
type Ticket struct {
	ID        string            // names it; no secret
	Secret    []byte            // proves it
	Authority [sha256.Size]byte // SHA-256 of the certificate of the installation's authority
}

const ticketPrefix = "berth-"

var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// NewTicket makes a ticket of 30 random bytes.
func NewTicket(random []byte, authority [sha256.Size]byte) (Ticket, error) {
	if len(random) != idBytes+secretBytes {
		return Ticket{}, fmt.Errorf("a ticket is made of %d random bytes", idBytes+secretBytes)
	}
	return Ticket{ID: letters.EncodeToString(random[:idBytes]), Secret: random[idBytes:], Authority: authority}, nil
}

// String is the ticket as people hand it on: letters and digits that survive every shell.
func (t Ticket) String() string {
	id, _ := letters.DecodeString(t.ID)
	return ticketPrefix + letters.EncodeToString(append(append(id, t.Secret...), t.Authority[:]...))
}

var errTicket = errors.New("this is not a ticket: it begins with berth- and is printed by berth ticket")

// ParseTicket reads a ticket.
func ParseTicket(text string) (Ticket, error) {
	body, ok := strings.CutPrefix(strings.TrimSpace(text), ticketPrefix)
	if !ok {
		return Ticket{}, errTicket
	}
	data, err := letters.DecodeString(body)
	if err != nil || len(data) != idBytes+secretBytes+sha256.Size {
		return Ticket{}, errTicket
	}
	t := Ticket{ID: letters.EncodeToString(data[:idBytes]), Secret: data[idBytes : idBytes+secretBytes]}
	copy(t.Authority[:], data[idBytes+secretBytes:])
	return t, nil
}

// Hash is what the store keeps of the secret: of 160 random bits, which no list of guesses helps with.
func (t Ticket) Hash() []byte {
	sum := sha256.Sum256(t.Secret)
	return sum[:]
}

// Home is the account and region of a machine.
type Home struct {
	Account string
	Region  string
}

// Offer is a ticket that was made. One that was used is kept for a while, for who used it and did not hear the answer. One record a ticket.
type Offer struct {
	ID      string
	Hash    []byte
	Role    Role
	Home    Home // of a node
	Expires time.Time

	Machine string    // that used it; "" for none yet
	Key     []byte    // SHA-256 of its public key
	Used    time.Time // when
}

// AgainWithin is how long after a ticket was used the machine that did may ask again.
const AgainWithin = 10 * time.Minute

// Machine is one that was let in. One record a machine.
type Machine struct {
	ID     string
	Role   Role
	Home   Home   // of a node
	Name   string // as it calls itself
	Joined time.Time
}

// Pass is the keys of a node for a while. One record a key.
type Pass struct {
	AccessKey string
	Secret    string
	Token     string // the session token that comes with them
	Machine   string
	Home      Home
	Expires   time.Time
}

// PassLife is how long keys are good; a node asks for others after half of it.
const PassLife = time.Hour

// Principal is how requests that a node signs appear, as an instance's do on AWS.
func Principal(h Home, machine string) string {
	return fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/%s", h.Account, nodeRole, machine)
}

const nodeRole = "berth-node"

// MachineOf answers which machine a principal is, "" for one that is none.
func MachineOf(principal string) string {
	_, rest, ok := strings.Cut(principal, ":assumed-role/"+nodeRole+"/")
	if !ok || !strings.HasPrefix(principal, "arn:aws:sts::") {
		return ""
	}
	return rest
}

// Place is where a server is reached by the other machines. One record a server, written by itself.
type Place struct {
	Name    string // of the server
	Address string // host:port of its TLS endpoint
	Version string // of its program
	Machine string
	Level   int // of its program's release; 0 of one that said none
}

// Owner is whose records a store holds, where others may use the store too. One record.
type Owner struct {
	Authority []byte // SHA-256 of the certificate of the installation's authority
}
