package wire

import (
	"strings"
	"time"

	"github.com/berth-ecs/berth/wire/fair"
	aws "github.com/berth-ecs/berth/wire/shape"
)

// The classes of operations, the most important first: when all places are taken, agents' reports go before what people ask.
const (
	classAgent = iota
	classWrite
	classRead
	classes
)

var classNames = [classes]string{"agent", "write", "read"}

// agentOperations are what container agents call; losing these would make the region blind.
var agentOperations = map[string]bool{
	"ecs.RegisterContainerInstance": true, "ecs.DiscoverPollEndpoint": true, "ecs.SubmitTaskStateChange": true,
	"ecs.SubmitContainerStateChange": true, "ecs.SubmitAttachmentStateChanges": true,
}

func classOf(s *aws.Service, o *aws.OperationInfo) int {
	if agentOperations[s.Package+"."+o.Name] {
		return classAgent
	}
	for _, verb := range []string{"Describe", "List", "Get", "BatchGet", "Discover"} {
		if strings.HasPrefix(o.Name, verb) {
			return classRead
		}
	}
	if o.ReadOnly {
		return classRead
	}
	return classWrite
}

// Limits bound what clients can take. The zero value of a field is its default.
type Limits struct {
	Body     int64         // bytes of a body; 1 MiB
	Depth    int           // nesting of an input; 32
	Elements int           // elements of an input; 50,000
	Large    int           // bodies above 64 KiB, or of unknown length, being read at once; 64
	Arrival  time.Duration // of a body; 20 s
	Timeout  time.Duration // of an operation, waiting included; 60 s

	Agent, Write, Read fair.Rate // requests of one account
	Total              int       // operations at once; 256
	PerClass           int       // of them of one class; three quarters of Total
	Queued             int       // waiting per class; 1,024
}

func (l Limits) withDefaults() Limits {
	set(&l.Body, 1<<20)
	set(&l.Depth, 32)
	set(&l.Elements, 50_000)
	set(&l.Large, 64)
	set(&l.Arrival, 20*time.Second)
	set(&l.Timeout, time.Minute)
	// About what one server of a few cores can answer (test/bench/api): an account alone is not slowed down, and of several none can ask for
	// more than there is.
	set(&l.Agent, fair.Rate{PerSecond: 10_000, Burst: 20_000})
	set(&l.Write, fair.Rate{PerSecond: 5_000, Burst: 10_000})
	set(&l.Read, fair.Rate{PerSecond: 20_000, Burst: 40_000})
	set(&l.Total, 256)
	set(&l.PerClass, max(1, l.Total*3/4))
	set(&l.Queued, 1024)
	return l
}

func set[T comparable](field *T, otherwise T) {
	var zero T
	if *field == zero {
		*field = otherwise
	}
}
