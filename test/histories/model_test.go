package histories

import (
	"fmt"

	"github.com/anishathalye/porcupine"
)

// clusters and attributes are few, so that clients meet.
const clusters, attributes = 3, 2

// state is what a region holds of one history.
type state struct {
	clusters   [clusters]bool // made
	attributes [attributes]int
	desired    int // of the service
	revision   int // newest of the family
}

// step is one call of a client.
type step struct {
	kind   string
	x, n   int
	server int
}

// answer is what a client was told: an error, or what of the state the step shows.
type answer struct {
	err string
	state
}

// The kinds of steps.
const (
	makeCluster = "CreateCluster"
	seeClusters = "DescribeClusters"
	put         = "PutAttributes"
	putAll      = "PutAttributes of all"
	see         = "ListAttributes"
	scale       = "UpdateService"
	seeService  = "DescribeServices"
	register    = "RegisterTaskDefinition"
	seeFamily   = "DescribeTaskDefinition"
)

var kinds = []string{makeCluster, seeClusters, put, putAll, see, scale, seeService, register, seeFamily}

// writes says whether the step changes anything.
func (s step) writes() bool { return s.next(state{}) != state{} }

// next is what the step makes of a state.
func (s step) next(st state) state {
	switch s.kind {
	case makeCluster:
		st.clusters[s.x%clusters] = true
	case put:
		st.attributes[s.x%attributes] = s.n
	case putAll:
		st.attributes = [attributes]int{s.n, s.n}
	case scale:
		st.desired = s.n
	case register:
		st.revision++
	}
	return st
}

// shown is what the step's answer shows of the state after it.
func (s step) shown(st state) answer {
	switch s.kind {
	case seeClusters:
		return answer{state: state{clusters: st.clusters}}
	case see:
		return answer{state: state{attributes: st.attributes}}
	case scale, seeService:
		return answer{state: state{desired: st.desired}}
	case register, seeFamily:
		return answer{state: state{revision: st.revision}}
	}
	return answer{}
}

// lost is the error of a call of which nobody knows whether it did something, then or later.
const lost = "nobody knows"

// model says which histories are linearizable. A call that was lost has done what it was to do, or nothing.
var model = (&porcupine.NondeterministicModel{
	Init: func() []any { return []any{state{revision: 1}} },
	Step: func(st, in, out any) []any {
		s, next, a := in.(step), in.(step).next(st.(state)), out.(answer)
		switch {
		case a.err == lost:
			return []any{st, next}
		case s.shown(next) == a:
			return []any{next}
		}
		return nil
	},
	Equal:             func(a, b any) bool { return a == b },
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v -> %+v", in, out) },
}).ToModel()
