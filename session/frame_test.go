package session

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The frames below have the members and spellings that the stock agent sends.
func TestDecodeAgentFrames(t *testing.T) {
	for _, tt := range []struct {
		name, frame string
		want        Message
	}{
		{"ack", `{"type":"AckRequest","message":{"cluster":"c","containerInstance":"i","messageId":"m"}}`,
			&AckRequest{Cluster: "c", ContainerInstance: "i", MessageID: "m"}},
		{"heartbeat ack", `{"type":"HeartbeatAckRequest","message":{"messageId":"7"}}`, &HeartbeatAckRequest{MessageID: "7"}},
		{"stop verification", `{"type":"TaskStopVerificationMessage","message":{"messageId":"m","stopCandidates":[{"taskArn":"t","taskClusterArn":"c","desiredStatus":"STOPPED"}]}}`,
			&TaskStopVerificationMessage{MessageID: "m", StopCandidates: []TaskIdentifier{{TaskArn: "t", TaskClusterArn: "c", DesiredStatus: "STOPPED"}}}},
		{"health", `{"type":"PublishHealthRequest","message":{"metadata":{"fin":true},"tasks":[{"taskArn":"t","containers":[{"containerName":"web","healthStatus":"HEALTHY","statusSince":1.5}]}],"timestamp":1700000000.25}}`,
			&PublishHealthRequest{Metadata: &HealthMetadata{Fin: true}, Timestamp: 1700000000.25,
				Tasks: []TaskHealth{{TaskArn: "t", Containers: []ContainerHealth{{ContainerName: "web", HealthStatus: "HEALTHY", StatusSince: 1.5}}}}}},
		{"unknown members are ignored", `{"type":"HeartbeatMessage","message":{"healthy":true,"new":[1,{"a":2}]}}`, &HeartbeatMessage{Healthy: true}},
		{"no message", `{"type":"HeartbeatMessage"}`, &HeartbeatMessage{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Decode([]byte(tt.frame))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("decoded (-want +got):\n%s", d)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	if _, err := Decode([]byte(`{"type":"Surprise","message":{}}`)); !errors.Is(err, ErrUnknownType) {
		t.Errorf("unknown type: %v", err)
	}
	for _, bad := range []string{``, `[]`, `{"type":3}`, `{"type":"AckRequest","message":[]}`} {
		if _, err := Decode([]byte(bad)); err == nil {
			t.Errorf("Decode(%q) succeeded", bad)
		}
	}
}

func TestEveryTypeSurvivesTheRoundTrip(t *testing.T) {
	for name, mk := range known {
		data, err := Encode(mk())
		if err != nil {
			t.Fatal(err)
		}
		var f struct{ Type string }
		if err := json.Unmarshal(data, &f); err != nil || f.Type != name {
			t.Errorf("%s travels as %q (%v)", name, f.Type, err)
		}
		got, err := Decode(data)
		if err != nil || TypeOf(got) != name {
			t.Errorf("%s came back as %T (%v)", name, got, err)
		}
	}
}

func TestSplitSigned(t *testing.T) {
	headers, body := SplitSigned([]byte("Authorization: AWS4\r\nHost: h\r\n\r\n{\"type\":\"x\"}"))
	if !strings.HasPrefix(string(headers), "Authorization") || string(body) != `{"type":"x"}` {
		t.Errorf("split into %q and %q", headers, body)
	}
	if headers, body := SplitSigned([]byte(`{"type":"x"}`)); headers != nil || string(body) != `{"type":"x"}` {
		t.Errorf("a plain frame was split into %q and %q", headers, body)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"type":"PayloadMessage","message":{"tasks":[{"containers":[{"dockerConfig":{}}]}]}}`))
	f.Add([]byte("Authorization: x\r\n\r\n{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, body := SplitSigned(data)
		if m, err := Decode(body); err == nil {
			if _, err := Encode(m); err != nil {
				t.Fatalf("decoded, but does not encode: %v", err)
			}
		}
	})
}
