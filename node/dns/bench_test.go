package dns

import (
	"fmt"
	"testing"

	"github.com/berth-ecs/berth/node/dns/message"
	"github.com/berth-ecs/berth/nodeconf"
)

// What an answer of eight addresses costs beside the system's calls.
func BenchmarkAnswerOfEight(b *testing.B) {
	r := vpcs()
	const services = 1250
	for i := range services {
		for k := range 8 {
			name := fmt.Sprintf("service-%d.prod.local", i)
			r.Values[fmt.Sprint(name, k)] = nodeconf.Value{Zone: "z", Name: name, Type: "A", TTL: 60, Value: fmt.Sprintf("10.%d.%d.%d", 1+k, i/250, 1+i%250)}
		}
	}
	s := New(Config{})
	s.Tell(nodeconf.Delta{To: 1, Set: r})
	res, rs := &resolver{s: s, vpc: "vpc-a"}, newResponder()
	packets := make([][]byte, services)
	for i := range packets {
		label := fmt.Sprintf("service-%d", i)
		name := append(append([]byte{byte(len(label))}, label...), "\x04prod\x05local\x00"...)
		packets[i] = message.AppendQuestion(nil, 1, message.Asked{Name: name, Type: message.TypeA}, 0)
	}
	out := make([]byte, 0, 4096)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		got, o := rs.now(res, packets[i*7%services], out, 0)
		if o != answered || len(got) < 8*16 {
			b.Fatal(o, len(got))
		}
	}
}
