package ports

import "fmt"

// Port is a wish: publish a container port, or a range of them, on the host.
type Port struct {
	ContainerPort      int    // this or ContainerPortRange is required
	HostPort           int    // optional; 0 asks for one of the dynamic range
	ContainerPortRange string // "first-last"
	HostPortRange      string // optional; empty asks for a range of the same length in the dynamic range
	Protocol           string // optional; "tcp" (default) or "udp"
}

// Binding is a port, or a range of ports, that is published.
type Binding struct {
	BindIP             string
	ContainerPort      int // 0 for a range
	HostPort           int // 0 for a range
	ContainerPortRange string
	HostPortRange      string
	Protocol           string
}

// Conflict says that a host port asked for belongs to somebody else.
type Conflict struct {
	Port     int
	Protocol string
	Holder   string // the endpoint that publishes it; empty when it is another process
	Err      error  // optional: what the kernel said
}

func (e *Conflict) Error() string {
	by := "by another process on the host"
	if e.Holder != "" {
		by = "by endpoint " + e.Holder
	}
	return fmt.Sprintf("host port %d/%s is already in use %s", e.Port, e.Protocol, by)
}

func (e *Conflict) Unwrap() error { return e.Err }
