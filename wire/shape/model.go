package shape

import "slices"

// Kind is the type of a shape.
type Kind uint8

// The kinds of shapes AWS models have.
const (
	Structure Kind = iota
	List
	Map
	String
	Integer
	Long
	Float
	Double
	Boolean
	Timestamp
	Blob
	Doc
)

// ID is the index of a shape in its service's table.
type ID int

// None is the ID of no shape.
const None ID = -1

// Shape describes one shape of a model: its members and its constraints.
type Shape struct {
	Name      string
	Kind      Kind
	Members   []Member // Structure: member i is field i of the generated struct
	Elem      Elem     // List: its member; Map: its value
	Key       Elem     // Map only
	Bounds    Bounds   // which of Min and Max are set
	Min, Max  float64  // of the length (String, Blob, List, Map) or of the value (numbers)
	Pattern   string   // String; as the model has it, for messages
	Regexp    string   // String; Pattern in Go's syntax, where it differs
	Enum      []string // String
	Sensitive bool
	Union     bool // Structure: exactly one member is set
	Flattened bool // List, Map: no wrapping element in query and XML
	Exception bool
	Payload   string // Structure: the member that is the whole body (REST protocols)
}

// Bounds says which limits a Shape has.
type Bounds uint8

// The limits of Bounds.
const (
	HasMin Bounds = 1 << iota
	HasMax
)

// Elem is what a list or map holds.
type Elem struct {
	Shape        ID
	LocationName string // optional; the element's name in XML, "member", "key" or "value" when empty
}

// Member is one member of a structure.
type Member struct {
	Name         string
	Shape        ID
	Required     bool
	Token        bool   // the idempotency token
	LocationName string // optional; the name on the wire when it is not Name
	QueryName    string // optional; the name in EC2 query requests
	Location     string // optional; "header", "uri", "querystring", ...: "" is the body
}

// Wire is the member's name in JSON, XML and query documents.
func (m Member) Wire() string {
	if m.LocationName != "" {
		return m.LocationName
	}
	return m.Name
}

// Service is one AWS service: the model as tables.
type Service struct {
	ID             string // "ECS"
	Package        string // "ecs"
	SigningName    string // the service name in a credential scope
	EndpointPrefix string
	APIVersion     string
	Protocol       string   // the model's first choice
	Protocols      []string // all that the service answers in
	JSONVersion    string
	TargetPrefix   string // of X-Amz-Target
	XMLNamespace   string
	Operations     []OperationInfo // by name
	Shapes         []Shape         // by ID
	Errors         []ErrorInfo     // by shape name
}

// OperationInfo is one row of the operation table.
type OperationInfo struct {
	Name          string
	Method, Path  string
	Input, Output ID       // None where the model names none
	ResultWrapper string   // query: the element around the output
	Errors        []string // codes
	Token         string   // the idempotency token's member, if any
	Page          Page
	ReadOnly      bool
	Idempotent    bool
	NoAuth        bool // the operation is called without a signature
}

// Page names the members by which an operation pages; the zero value is an operation that does not.
type Page struct {
	InputTokens, OutputTokens []string // one of each, but for a few REST-XML operations
	Limit                     string
	Results                   []string
}

// Operation ties a row of a service's operation table to the Go types of its input and output.
type Operation[In, Out any] struct {
	Service *Service
	Info    *OperationInfo
}

// Shape returns the shape with an id; id must be one of the service's.
func (s *Service) Shape(id ID) *Shape { return &s.Shapes[id] }

// Operation finds an operation by name.
func (s *Service) Operation(name string) (*OperationInfo, bool) {
	i, ok := slices.BinarySearchFunc(s.Operations, name, func(o OperationInfo, name string) int {
		if o.Name < name {
			return -1
		}
		if o.Name > name {
			return 1
		}
		return 0
	})
	if !ok {
		return nil, false
	}
	return &s.Operations[i], true
}

// Error finds an exception by its code on the wire.
func (s *Service) Error(code string) (ErrorInfo, bool) {
	i := slices.IndexFunc(s.Errors, func(e ErrorInfo) bool { return e.Code == code })
	if i < 0 {
		return ErrorInfo{}, false
	}
	return s.Errors[i], true
}
